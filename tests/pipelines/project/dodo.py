"""A contents page whose verbs do what a control file tells them: the graph's tests run on it."""

from __future__ import annotations

from pipelines.contents import Contents, Operation, Step, Variable

CONTENTS = Contents(
    steps=(
        Step("build", "build what a key proves", "verbs:build", parts="verbs:build_parts"),
        Step("check", "check what was built", "verbs:build", parts="verbs:build_parts", after=("build", "absent")),
        Step("raise", "raise what the world proves", "verbs:lift", up_to_date="verbs:lifted", owner_first=True),
    ),
    operations=(
        Operation("look", "look at everything at once", "verbs:look", over="all", takes=("format",)),
        Operation("wipe", "wipe each database", "verbs:wipe", over="each", asks=True, takes=("to", "format")),
        Operation("selftest", "look at nothing", "verbs:selftest"),
    ),
    groups={"both": ("build", "raise"), "deploy": ("raise",)},
    default="both",
    variables={
        "format": Variable(doc="how to write", values=("text", "json"), more={"wipe": ("csv",)}),
        "to": Variable(doc="the version to go to", pattern=r"[0-9]+", form="12"),
        "spare": Variable(doc="taken by nothing"),
    },
)
