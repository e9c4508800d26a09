"""PR03 goose-model: goose's version table is no model of the application.

Problem: schema.prisma has a model of the table in which goose notes what it has applied. `prisma db pull` writes it
there whenever the table lies in a schema that is pulled.

Consequence: The client offers the table as the application's own. What writes to it makes goose skip a migration, or
run one twice.

Solution: `doit prisma` takes the model out after each pull. A version table in a schema of its own
(`table: goose.goose_db_version` in services.yaml) is not pulled at all.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.catalog import Database
from tasks.lint.finding import Flaw
from tasks.lint.prisma_schema import models
from tasks.lint.rule import Rule
from tasks.lint.service import Service

__all__ = ["RULE", "check"]

RULE = Rule(code="PR03", name="goose-model", severity="error", needs="service", engines=("postgres",))

USUAL = "goose_db_version"


def check(service: Service) -> Iterator[Flaw]:
    """Models of a version table, and schemas of which nobody can tell."""
    databases = service.entry.databases if service.entry else ()
    tables = {USUAL, *(one.table.rpartition(".")[2] for one in databases if isinstance(one, Database))}
    for source in service.of("prisma"):
        if source.unread:
            yield Flaw(f"Nobody can tell what this schema says: {source.unread}.", path=source.path, severity="warning")
        for model in models(source.text):
            if model.table in tables:
                yield Flaw(
                    f"The client will offer goose's version table as {model.name}: what writes to it makes goose skip a"
                    " migration, or run one twice.",
                    line=model.line,
                    column=model.column,
                    end_column=len(source.line(model.line).rstrip()) + 1,
                    instead=service.typed("prisma"),
                    path=source.path,
                )
