"""GS02 down-missing: every migration has a Down section.

Problem: The file has no `-- +goose Down`. goose accepts that.

Consequence: Whoever rolls back gets success and no change: goose only forgets that the file was applied. The next `up`
runs it again, on a database that has all of it already.

Solution: Write a Down section that undoes Up in reverse order. What cannot be undone says so and why, on a line
`-- irreversible: …` in its Down section.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.lint.file import File
from tasks.lint.finding import Flaw
from tasks.lint.rule import Rule

__all__ = ["RULE", "check"]

RULE = Rule(code="GS02", name="down-missing", severity="error", needs="file")


def check(file: File) -> Iterator[Flaw]:
    """A file that goose takes, without Down."""
    if file.goose is None or file.goose.has_down:
        return
    last = max((number for number, line in enumerate(file.lines, 1) if line.strip()), default=1)
    yield Flaw(
        "There is no Down section: a rollback will report success and change nothing, and the next up runs this file"
        " again.",
        line=last,
        column=len(file.line(last)) + 1,
        instead="-- +goose Down\n-- … the statements that undo Up, the last one first",
    )
