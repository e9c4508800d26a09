"""GS01 one-up: a file has one Up section, which begins it, and then at most one Down section.

Problem: There is no `-- +goose Up`, there are two of them, SQL stands before it, or Down does not follow it.

Consequence: goose refuses the file. It runs files one after another, so those before this one are applied already: the
release stops half way, in every environment.

Solution: Begin the file with `-- +goose Up`, then write `-- +goose Down` once. Comments and blank lines may stand
before Up. A second Up becomes a file of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.lint.file import File
from tasks.lint.finding import Flaw
from tasks.lint.rule import Rule

__all__ = ["RULE", "check"]

RULE = Rule(code="GS01", name="one-up", severity="error", needs="file")


def check(file: File) -> Iterator[Flaw]:
    """The refusals of goose that are about the sections."""
    names = [mark.name for mark in file.marks]
    for refusal in file.refused("section"):
        line = file.line(refusal.line)
        instead = ""
        if "Up" not in names:
            instead = f"-- +goose Up\n{line}".rstrip()
        elif line.strip() and not line.lstrip().startswith("--"):
            instead = f"-- +goose Up\n{line}"
        yield Flaw(
            f"goose will stop at this file, after it has applied the ones before: {refusal.message}.",
            line=refusal.line,
            end_column=len(line) + 1,
            instead=instead,
        )
