"""PR06 types: ids of a Prisma schema are TEXT, and its times TIMESTAMPTZ(6).

Problem: A field that is an id, or refers to one, is `@db.Uuid`, or a `DateTime` is another type than
`@db.Timestamptz(6)`. Without an attribute Prisma takes it for TIMESTAMP(3), without a time zone.

Consequence: Either the database is so, against the policy: a foreign key between TEXT and UUID fails, and times change
with a session's time zone. Or the schema tells what the database is not, and queries fail or round.

Solution: Correct the column by a migration where the database is so (PL01 and PL02 tell the place), then pull:
`doit prisma`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tasks.lint.finding import Flaw
from tasks.lint.prisma_schema import Field, Model, models
from tasks.lint.rule import Rule
from tasks.lint.service import Service
from tasks.lint.source import Source
from tasks.prisma.schema import provider

__all__ = ["RULE", "check"]

RULE = Rule(code="PR06", name="types", severity="error", needs="service", engines=("postgres",))

NATIVE = re.compile(r"@\w+\.(?P<type>[A-Z]\w*)(?:\((?P<digits>[0-9, ]*)\))?")
NAMED = re.compile(r"(?:id|.*_id|.*[a-z0-9]Id)")
OF_TIME = ("Date", "Time", "Timetz")  # they hold no moment
FILLED = ('dbgenerated("gen_random_uuid()")', "dbgenerated()", "uuid()")
AS_TEXT = 'dbgenerated("(gen_random_uuid())::text")'


def check(service: Service) -> Iterator[Flaw]:
    """Fields of other types, in the schemas of PostgreSQL databases."""
    for source in service.of("prisma"):
        if provider(source.text) in {None, "postgresql", "postgres"}:
            for model in models(source.text):
                for field in model.fields:
                    yield from _field(source, model, field)


def _field(source: Source, model: Model, field: Field) -> Iterator[Flaw]:
    native = NATIVE.search(field.attributes)
    kind = native["type"] if native else ""
    if field.type == "String" and kind == "Uuid" and (field.name in model.ids or NAMED.fullmatch(field.name)):
        line = source.line(field.line).strip()
        for one in FILLED:
            line = line.replace(f"@default({one})", f"@default({AS_TEXT})")
        yield _flaw(
            source,
            field,
            f"{model.name}.{field.name} is a UUID here, and ids are TEXT: a foreign key between the two types fails.",
            re.sub(r"\s*@\w+\.Uuid\b(?:\(\))?", "", line),
        )
    elif field.type == "DateTime" and kind not in OF_TIME and not _exact(native):
        was = native[0] if native else "TIMESTAMP(3)"
        line = source.line(field.line).strip()
        wanted = "@db.Timestamptz(6)"
        yield _flaw(
            source,
            field,
            f"{model.name}.{field.name} is {was} here, and times are TIMESTAMPTZ(6): the client rounds them, or reads"
            " them in another time zone."
            if kind != "Timestamptz"
            else f"{model.name}.{field.name} is {was} here, and times are TIMESTAMPTZ(6): two of them that differ can"
            " come back equal.",
            line.replace(native[0], wanted) if native else _added(line, field, wanted),
        )


def _exact(native: re.Match[str] | None) -> bool:
    return bool(native and native["type"] == "Timestamptz" and (native["digits"] or "").strip() == "6")


def _added(line: str, field: Field, attribute: str) -> str:
    """A field's line with one attribute more, before its comment."""
    if not field.attributes:
        return re.sub(r"(DateTime\??)", rf"\1 {attribute}", line, count=1)
    return line.replace(field.attributes, f"{field.attributes} {attribute}", 1)


def _flaw(source: Source, field: Field, message: str, instead: str) -> Flaw:
    return Flaw(
        message,
        line=field.line,
        column=field.column,
        end_column=field.end_column,
        instead=instead,
        path=source.path,
    )
