"""What `doit` can do: the steps of the road in their order, the operations beside it, and the variables they take."""

from __future__ import annotations

from pipelines.contents import Contents, Operation, Step, Variable

MIGRATE = Step(
    "migrate",
    "bring local databases to head with goose",
    "tasks.migrate.apply:run",
    up_to_date="tasks.migrate.check:up_to_date",
    parts="tasks.migrate.check:parts",
    owner_first=True,
    takes=("changed",),
)

OPERATIONS = (
    Operation(
        "create",
        "write a new migration from the policy's template",
        "tasks.create.write:run",
        over="one",
        environments="none",
        takes=("name", "like", "table", "column", "editor"),
    ),
    Operation("status", "compare migration files with databases", "tasks.status:run", over="all", takes=("format",)),
    Operation("start", "keep local servers running and print their URLs", "tasks.servers:start", over="all"),
    Operation("stop", "stop local servers", "tasks.servers:stop", over="all"),
    Operation("reset", "drop and rebuild local databases", "tasks.reset:run", over="each", asks=True, takes=("yes",)),
    Operation("rollback", "undo migrations", "tasks.rollback:run", over="each", asks=True, takes=("to", "yes")),
    Operation("doctor", "show every program used, its version and its origin", "tasks.doctor:run", takes=("format",)),
    Operation("ci", "check this project itself as its CI does", "tasks.ci:run"),
)

NAME = r"[A-Za-z_][A-Za-z0-9_]*"

VARIABLES = {
    "name": Variable(doc="what a new migration is called", form="add_user_preferences"),
    "like": Variable(
        doc="which template it is made from",
        values=("table", "column", "index", "enum", "function", "backfill", "irreversible"),
    ),
    "table": Variable(doc="its table, where the name does not say it", pattern=NAME, form="users"),
    "column": Variable(doc="its column, where the name does not say it", pattern=NAME, form="nickname"),
    "editor": Variable(doc="open the new file in your editor", values=("true", "false")),
    "changed": Variable(doc="only services that differ from where the branch left this one", form="origin/main"),
    "format": Variable(doc="text for people, or one JSON document on stdout", values=("text", "json")),
    "to": Variable(doc="the version to go down to", pattern=r"[0-9]+", form="20260101120000"),
    "yes": Variable(doc="the name that confirms a loss of rows, where nobody can be asked", form="auth-service"),
}

CONTENTS = Contents(
    steps=(MIGRATE,), operations=OPERATIONS, groups={"check": ("migrate",)}, default="check", variables=VARIABLES
)
