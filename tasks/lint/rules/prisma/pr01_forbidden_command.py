"""PR01 forbidden-command: nothing but goose changes a schema.

Problem: A script, Dockerfile, Makefile, CI file or manifest runs `prisma migrate dev`, `deploy` or `reset`, `prisma db
push` or `prisma db execute`, by whichever launcher. Comments and prose are not looked at, nor are programs.

Consequence: Prisma changes tables that goose answers for, and no migration says so. Other environments do not get the
change, and the next goose file that meets it stops the release.

Solution: Write a migration (`doit create`) and let goose run it: `doit migrate` here, the chart's PreSync Job
elsewhere. Prisma only reads: `prisma db pull` and `prisma generate`.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.lint.finding import Flaw
from tasks.lint.prisma_commands import Forbidden, forbidden
from tasks.lint.rule import Rule
from tasks.lint.scripts.script import Unreadable
from tasks.lint.service import Service
from tasks.lint.source import Kind

__all__ = ["RULE", "check"]

RULE = Rule(code="PR01", name="forbidden-command", severity="error", needs="service")

KINDS: tuple[Kind, ...] = ("json", "docker", "make", "yaml", "shell")
DOES = {
    "migrate dev": "applies SQL of Prisma's own that no goose file holds: the next release goes out without it",
    "migrate deploy": "applies SQL that no goose file holds, and the next one that meets its tables stops the release",
    "migrate reset": "drops the database with all its rows, and rebuilds it from something else than goose's files",
    "db push": "changes tables to fit schema.prisma: no goose file says so, no other environment gets it, and"
    " columns that the schema does not name are dropped with their data",
    "db execute": "runs SQL that no goose file holds: no other environment gets it",
}


def check(service: Service) -> Iterator[Flaw]:
    """Each command that changes a schema past goose, and each file of which nobody can tell."""
    for source in service.of(*KINDS):
        try:
            for one in forbidden(source):
                yield Flaw(
                    f"`prisma {one.command}` {DOES[one.command]}.",
                    line=one.line,
                    column=one.column,
                    end_column=one.end_column,
                    instead=_instead(service, one),
                    path=source.path,
                )
        except Unreadable as reason:
            yield Flaw(
                f"Nobody can tell whether this file runs Prisma against a database: {reason.why}.",
                line=reason.line,
                column=reason.column,
                path=source.path,
                severity="warning",
            )


def _instead(service: Service, one: Forbidden) -> str:
    create = f"{service.typed('create')} name=what_changes"
    migrate = service.typed("migrate")
    return {
        "migrate dev": f"{create} && {migrate}",
        "migrate deploy": migrate,
        "migrate reset": service.typed("reset"),
        "db push": f"{create} && {migrate}",
        "db execute": f"{create} && {migrate}",
    }[one.command]
