"""The steps of the road, in its order."""

from __future__ import annotations

from pipelines.contents import Step

__all__ = ["STEPS"]

LINT = Step(
    "lint",
    "check migrations and all around them against the policy",
    "tasks.lint.step:run",
    parts="tasks.lint.step:parts",
    holds="tasks.lint.kept:holds",
    replay="tasks.lint.kept:replay",
    over="everything",
    references=False,
    only_looks=True,
    together=True,
    takes=("format", "output", "strict", "fix", "base", "baseline", "changed"),
)
TEST = Step(
    "test",
    "prove migrations on scratch servers: up, down and up again",
    "tasks.test.prove:run",
    parts="tasks.test.prove:parts",
    after=("lint",),
    references=False,
    takes=("changed",),
)
MIGRATE = Step(
    "migrate",
    "bring local databases to head with goose",
    "tasks.migrate.apply:run",
    up_to_date="tasks.migrate.check:up_to_date",
    parts="tasks.migrate.check:parts",
    owner_first=True,
    takes=("yes", "changed"),
)

PRISMA = Step(
    "prisma",
    "pull the Prisma schema from the local database",
    "tasks.prisma.pull:run",
    up_to_date="tasks.prisma.pull:up_to_date",
    parts="tasks.prisma.pull:parts",
    after=("migrate",),
    engine="postgres",
    takes=("frozen", "force", "changed"),
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
IMAGE = Step(
    "image",
    "push the image of a commit's migrations to its registry",
    "tasks.image.run:run",
    up_to_date="tasks.image.run:up_to_date",
    replay="tasks.image.run:replay",
    over="service",
    takes=("commit", "push", "format", "changed"),
    together=True,
)
PROMOTE = Step(
    "promote",
    "write an image's name into an environment's values file",
    "tasks.promote.run:run",
    up_to_date="tasks.promote.run:up_to_date",
    over="release",
    after=("image",),
    owners=("sync",),
    takes=("commit", "tag", "yes", "ref", "override", "changed"),
    together=True,
)
SYNC = Step(
    "sync",
    "have Argo CD roll a release out, and follow it to its end",
    "tasks.sync.run:run",
    up_to_date="tasks.sync.standing:up_to_date",
    over="release",
    follows=("promote",),
    owners=("sync",),
    takes=("stop", "yes", "ref"),
    together=True,
)
VERIFY = Step(
    "verify",
    "prove that databases elsewhere are where their release says",
    "tasks.verify.run:run",
    over="release",
    follows=("promote", "sync"),
    takes=("format", "evidence"),
    together=True,
)

STEPS = (LINT, TEST, MIGRATE, PRISMA, COMMIT, IMAGE, PROMOTE, SYNC, VERIFY)
