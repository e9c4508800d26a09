"""GS09 two-on-a-line: one call to the server holds one statement.

Problem: Two statements stand on one line, or, on ClickHouse, in one StatementBegin and StatementEnd. goose sends them
as one.

Consequence: ClickHouse refuses that with code 62, so the release stops at this file. PostgreSQL runs both, in one
transaction even where the file says NO TRANSACTION.

Solution: One statement a line and a block.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.lint.file import File
from tasks.lint.finding import Flaw
from tasks.lint.joints import joints
from tasks.lint.rule import Rule

__all__ = ["RULE", "check"]

RULE = Rule(code="GS09", name="two-on-a-line", severity="error", needs="statements")

CLICKHOUSE = "ClickHouse will refuse this: goose sends two statements as one (code 62)."


def check(file: File) -> Iterator[Flaw]:
    """Statements that follow another in the same call."""
    for joint in joints(file):
        line, column = joint.next
        rest = file.line(line)[column - 1 :].strip()
        if file.engine == "clickhouse" and joint.sql.block:
            yield Flaw(
                CLICKHOUSE,
                line=line,
                column=column,
                instead=f"-- +goose StatementEnd\n\n-- +goose StatementBegin\n{rest}",
            )
        elif joint.same_line and not joint.sql.block:
            refused = file.engine == "clickhouse"
            yield Flaw(
                CLICKHOUSE if refused else "goose will send both statements of this line as one.",
                line=line,
                column=column,
                instead=f"{file.line(line)[: column - 1].strip()}\n{rest}",
                severity=None if refused else "warning",
            )
