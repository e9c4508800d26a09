"""GS07 unterminated: each statement ends with a semicolon that goose sees.

Problem: goose ends a statement at a line whose last word before ` --` ends in a semicolon. It sees none in
`SELECT 1; /* note */` or `SELECT 1;--note`, and of course none where there is no semicolon.

Consequence: The statement swallows the next one, and both go to the server as one: ClickHouse refuses that. Without a
next one goose refuses the file, after it has applied the files before.

Solution: End the statement's last line with `;`. A comment may follow after a blank, as ` -- note`.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.lint.file import File
from tasks.lint.finding import Flaw
from tasks.lint.joints import joints
from tasks.lint.rule import Rule

__all__ = ["RULE", "check"]

RULE = Rule(code="GS07", name="unterminated", severity="error", needs="statements")


def check(file: File) -> Iterator[Flaw]:
    """What goose refuses for want of a semicolon, and statements that swallow others."""
    for refusal in file.refused("unfinished"):
        yield Flaw(
            f"goose will stop at this file, after it has applied the ones before: {refusal.message}.",
            line=refusal.line,
            end_column=len(file.line(refusal.line)) + 1,
        )
    for joint in joints(file):
        if joint.sql.block or joint.same_line:
            continue
        line = file.line(joint.line)
        code, note = line[: joint.column], line[joint.column :].strip()
        refused = file.engine == "clickhouse"
        yield Flaw(
            "goose does not see this semicolon and will send the next statement together with this one"
            + (", which ClickHouse refuses (code 62)." if refused else "."),
            line=joint.line,
            column=joint.column,
            instead=_ended(code, note),
            severity=None if refused else "warning",
        )


def _ended(code: str, note: str) -> str:
    """The line with its comment where goose sees the semicolon before it."""
    words = note.removeprefix("--").removeprefix("/*").removesuffix("*/").strip()
    return f"{code} -- {words}" if words else code
