"""The steps of the road, in its order."""

from __future__ import annotations

from pipelines.contents import Step

__all__ = ["STEPS"]

MIGRATE = Step(
    "migrate",
    "bring local databases to head with goose",
    "tasks.migrate.apply:run",
    up_to_date="tasks.migrate.check:up_to_date",
    parts="tasks.migrate.check:parts",
    owner_first=True,
    takes=("yes", "changed"),
)

COMMIT = Step(
    "commit",
    "commit a service's migrations and Prisma schemas",
    "tasks.commit.record:run",
    up_to_date="tasks.commit.record:up_to_date",
    over="service",
    after=("lint", "test", "prisma"),
    takes=("message", "changed"),
)

STEPS = (MIGRATE, COMMIT)
