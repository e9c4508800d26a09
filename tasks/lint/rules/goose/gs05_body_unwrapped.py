"""GS05 body-unwrapped: the body of a function stands between StatementBegin and StatementEnd.

Problem: The statement has semicolons at line ends inside its body (`$$ … $$`, `BEGIN ATOMIC … END`), and no
`-- +goose StatementBegin` before it. goose knows no SQL: it cuts the statement at the first of them. `goose validate`
does not see it.

Consequence: PostgreSQL refuses the first piece, so the release stops at this file, after the ones before were applied.

Solution: Put `-- +goose StatementBegin` on a line before the statement and `-- +goose StatementEnd` on one after it.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.lint.file import File
from tasks.lint.finding import Flaw
from tasks.lint.rule import Rule
from tasks.lint.splits import in_block, into_block, splits

__all__ = ["RULE", "check"]

RULE = Rule(code="GS05", name="body-unwrapped", severity="error", needs="statements", engines=("postgres",))


def check(file: File) -> Iterator[Flaw]:
    """Statements that goose cuts inside a body."""
    for split in splits(file):
        if split.cause != "body":
            continue
        lines = split.first.line, split.last.statement.end_line
        line, column = split.first.at(split.mistake.position)
        yield Flaw(
            f"goose will cut this statement at line {split.first.statement.end_line}, inside the body, and PostgreSQL"
            f" will refuse the first piece: {split.said}.",
            line=line,
            column=column,
            instead=in_block(file, *lines) if split.whole else "-- +goose StatementBegin\n…\n-- +goose StatementEnd",
            fix=into_block(file, *lines) if split.alone else (),
        )
