"""GS22 does-not-parse: the engine's own parser reads every statement.

Problem: PostgreSQL's or ClickHouse's parser, which Gander asks, refuses the statement.

Consequence: The release stops at this file, after the ones before were applied. On ClickHouse the statements before it
in the same file were applied too, and the file is not recorded.

Solution: Correct what stands at the place that the parser names. The statements of a file are those that goose makes of
it: a missing semicolon joins two.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.lint.file import File
from tasks.lint.finding import Flaw
from tasks.lint.joints import joints
from tasks.lint.rule import Rule
from tasks.lint.splits import splits

__all__ = ["RULE", "check"]

RULE = Rule(code="GS22", name="does-not-parse", severity="error", needs="statements")

NEWER = ("json", "merge_action", "xmltext")  # words that PostgreSQL 17 keeps for itself and 16 does not


def check(file: File) -> Iterator[Flaw]:
    """Statements that do not parse, but for those that another rule tells why."""
    told = [(split.first.line, split.last.statement.end_line) for split in splits(file)]
    told += [(joint.sql.line, joint.sql.statement.end_line) for joint in joints(file)]
    server = "PostgreSQL" if file.engine == "postgres" else "ClickHouse"
    for sql in file.statements:
        mistake = sql.mistake
        if mistake is None or any(first <= sql.line <= last for first, last in told):
            continue
        _, _, word = mistake.message.partition(' at or near "')
        if file.engine == "postgres" and word.startswith(NEWER):
            continue
        line, column = sql.at(mistake.position)
        width = len(word.removesuffix('"').split("\n")[0]) if word else 0
        yield Flaw(
            f"{server} will refuse this statement: {' '.join(mistake.message.split())[:200]}.",
            line=line,
            column=column,
            end_column=column + width if width else 0,
        )
