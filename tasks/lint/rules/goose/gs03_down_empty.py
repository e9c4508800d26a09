"""GS03 down-empty: a Down section undoes something, or says why it cannot.

Problem: The file has `-- +goose Down` and no statement after it.

Consequence: Whoever rolls back gets success and no change: goose only forgets that the file was applied. The next `up`
runs it again, on a database that has all of it already.

Solution: Undo Up in reverse order. What cannot be undone says so and why, on a line of its own: `-- irreversible: …`.
`doit test` and `doit rollback` read that line.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.irreversible import reason
from tasks.lint.file import File
from tasks.lint.finding import Flaw
from tasks.lint.rule import Rule

__all__ = ["RULE", "check"]

RULE = Rule(code="GS03", name="down-empty", severity="error", needs="file")


def check(file: File) -> Iterator[Flaw]:
    """A Down without statements, and without a reason."""
    if file.goose is None or not file.goose.has_down or file.down or reason(file.data):
        return
    down = next(mark for mark in file.marks if mark.name == "Down")
    yield Flaw(
        "Down is empty: a rollback will report success and change nothing, and the next up runs this file again.",
        line=down.line,
        end_column=len(down.text.rstrip()) + 1,
        instead=f"{down.text.rstrip()}\n-- irreversible: why nothing can be undone",
    )
