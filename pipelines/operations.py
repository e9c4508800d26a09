"""The operations beside the road."""

from __future__ import annotations

from pipelines.contents import Operation

__all__ = ["OPERATIONS"]

INIT = Operation("init", "adopt a monorepo: describe what is found in it", "tasks.init.adopt:run", founds=True)
CREATE = Operation(
    "create",
    "write a new migration from the policy's template",
    "tasks.create.write:run",
    over="one",
    environments="none",
    takes=("name", "like", "table", "column", "editor"),
)
RENUMBER = Operation(
    "renumber",
    "give unmerged migrations later versions",
    "tasks.renumber:run",
    over="each",
    environments="none",
    asks=True,
    takes=("yes",),
)
REVERT = Operation(
    "revert",
    "write a new migration that takes another back",
    "tasks.revert:run",
    over="one",
    environments="none",
    takes=("version",),
)
STATUS = Operation(
    "status",
    "compare migration files with databases",
    "tasks.status.report:run",
    over="all",
    environments="any",
    takes=("format",),
)
DRIFT = Operation(
    "drift",
    "compare another environment's schema with what its migrations build",
    "tasks.drift.report:run",
    over="all",
    environments="others",
    takes=("format",),
)
BASELINE = Operation(
    "baseline",
    "write down what a database elsewhere held before its first migration",
    "tasks.baseline:run",
    over="one",
    environments="others",
    takes=("force",),
)
PLAN = Operation(
    "plan",
    "show what a release would change in another environment",
    "tasks.plan.run:run",
    over="releases",
    environments="others",
    takes=("commit", "tag", "format"),
)
REHEARSE = Operation(
    "rehearse",
    "run an environment's migration Jobs here before the cluster does",
    "tasks.rehearse.run:run",
    over="releases",
    environments="others",
    takes=("commit",),
)
LOGS = Operation(
    "logs",
    "show what goose printed in the pods of a release's Jobs",
    "tasks.logs:run",
    over="releases",
    environments="others",
)
HISTORY = Operation(
    "history",
    "show the releases of services elsewhere: when, by whom, of which commit",
    "tasks.history:run",
    over="releases",
    environments="others",
    takes=("evidence",),
)
START = Operation("start", "keep local servers running and print their URLs", "tasks.servers:start", over="all")
STUDIO = Operation("studio", "show a local database in Prisma Studio until Ctrl-C", "tasks.studio:run", over="one")
STOP = Operation("stop", "stop local servers", "tasks.servers:stop", over="all")
RESET = Operation(
    "reset", "drop and rebuild local databases", "tasks.reset:run", over="each", asks=True, takes=("yes",)
)
ROLLBACK = Operation("rollback", "undo migrations", "tasks.rollback:run", over="each", asks=True, takes=("to", "yes"))
DOCTOR = Operation(
    "doctor", "show every program used, its version and its origin", "tasks.doctor:run", takes=("format",)
)
RULES = Operation(
    "rules", "show the rules of lint, or one of them with examples", "tasks.lint.catalogue:run", of="CODE"
)
CI = Operation("ci", "check this project itself as its CI does", "tasks.ci:run")

OPERATIONS = (
    INIT,
    CREATE,
    RENUMBER,
    REVERT,
    STATUS,
    DRIFT,
    BASELINE,
    PLAN,
    REHEARSE,
    LOGS,
    HISTORY,
    START,
    STOP,
    STUDIO,
    RESET,
    ROLLBACK,
    DOCTOR,
    RULES,
    CI,
)
