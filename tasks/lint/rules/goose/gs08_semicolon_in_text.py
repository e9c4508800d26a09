"""GS08 semicolon-in-text: no line ends in a semicolon inside a string, a quoted name or a comment.

Problem: goose knows no SQL. A semicolon at a line's end is the end of a statement to it, also inside `'…'`, `"…"` and
`/* … */`. `goose validate` does not see it.

Consequence: The server refuses the first piece, so the release stops at this file, after the ones before were applied.

Solution: Put `-- +goose StatementBegin` on a line before the statement and `-- +goose StatementEnd` on one after it.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.lint.file import File
from tasks.lint.finding import Flaw
from tasks.lint.rule import Rule
from tasks.lint.splits import in_block, into_block, splits

__all__ = ["RULE", "check"]

RULE = Rule(code="GS08", name="semicolon-in-text", severity="error", needs="statements")


def check(file: File) -> Iterator[Flaw]:
    """Statements that goose cuts inside a text."""
    for split in splits(file):
        if split.cause != "text":
            continue
        lines = split.first.line, split.last.statement.end_line
        end = split.first.statement.end_line
        server = "PostgreSQL" if file.engine == "postgres" else "ClickHouse"
        yield Flaw(
            f"goose will cut the statement at this semicolon, and {server} will refuse the first piece: {split.said}.",
            line=end,
            column=file.line(end).rfind(";") + 1,
            instead=in_block(file, *lines) if split.whole else "-- +goose StatementBegin\n…\n-- +goose StatementEnd",
            fix=into_block(file, *lines) if split.alone else (),
        )
