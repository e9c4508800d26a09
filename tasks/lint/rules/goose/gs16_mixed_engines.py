"""GS16 mixed-engines: a stream holds files for one engine.

Problem: The file's statements are no SQL of the stream's engine, and all of them are of the other one.

Consequence: The release stops at this file. Where the server takes it by chance, goose records its version in the wrong
database, and the right one never gets it.

Solution: Move the file into the folder of the database that it is for.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.lint.file import File
from tasks.lint.finding import Flaw
from tasks.lint.rule import Rule

__all__ = ["RULE", "check"]

RULE = Rule(code="GS16", name="mixed-engines", severity="error", needs="statements")

LIMITS = ("Maximum parse depth", "AST is too ")  # ClickHouse refuses what it could read: it is no other's language
TITLES = {"postgres": "PostgreSQL", "clickhouse": "ClickHouse"}


def check(file: File) -> Iterator[Flaw]:
    """Files of which some statement does not parse, and all do with the other engine's parser."""
    wrong = next((sql for sql in file.statements if sql.mistake and not sql.mistake.message.startswith(LIMITS)), None)
    if wrong is not None and all(sql.known and file.other(sql.text) for sql in file.statements):
        mine = TITLES[file.engine]
        (theirs,) = set(TITLES.values()) - {mine}
        yield Flaw(
            f"This is a migration for {theirs}, and the stream is one of {mine}: the release will stop here.",
            line=wrong.line,
        )
