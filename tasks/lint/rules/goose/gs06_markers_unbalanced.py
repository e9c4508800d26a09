"""GS06 markers-unbalanced: StatementBegin and StatementEnd stand in pairs, inside a section.

Problem: A block is never closed, closed twice, opened inside another, or opened before Up.

Consequence: goose refuses the file. It runs files one after another, so those before this one are applied already: the
release stops half way, in every environment.

Solution: Write `-- +goose StatementBegin` before each statement that has semicolons inside it, and
`-- +goose StatementEnd` after it.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.lint.file import File
from tasks.lint.finding import Flaw
from tasks.lint.rule import Rule

__all__ = ["RULE", "check"]

RULE = Rule(code="GS06", name="markers-unbalanced", severity="error", needs="file")


def check(file: File) -> Iterator[Flaw]:
    """The refusals of goose that are about blocks, and lines that it leaves out after an empty one."""
    for refusal in file.refused("block"):
        yield Flaw(
            f"goose will stop at this file, after it has applied the ones before: {refusal.message}.",
            line=refusal.line,
            end_column=len(file.line(refusal.line)) + 1,
            instead="-- +goose StatementEnd" if "closed" in refusal.message else "",
        )
    for line in file.goose.lost if file.goose else ():
        yield Flaw(
            "goose will leave this line out without a word, because the block before it is empty.",
            line=line,
            end_column=len(file.line(line)) + 1,
        )
