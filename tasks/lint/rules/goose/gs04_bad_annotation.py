"""GS04 bad-annotation: a comment with +goose is an annotation that goose knows, in the first column.

Problem: goose takes every line that begins with `--` and holds `+goose` for an annotation, inside statements too. This
one is indented, misspelt, has words after it, or only speaks of goose.

Consequence: goose refuses the file. It runs files one after another, so those before this one are applied already: the
release stops half way, in every environment.

Solution: Write one of `-- +goose Up`, `Down`, `StatementBegin`, `StatementEnd`, `NO TRANSACTION`, `ENVSUB ON`,
`ENVSUB OFF`, alone on its line, without blanks before it. In other comments write goose without the plus.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.goose_annotation import NAMES, GooseSyntax, name_of
from schemas.nearest import closest
from tasks.lint.file import File, Mark
from tasks.lint.finding import Edit, Flaw
from tasks.lint.rule import Rule

__all__ = ["RULE", "check"]

RULE = Rule(code="GS04", name="bad-annotation", severity="error", needs="file")


def check(file: File) -> Iterator[Flaw]:
    """Every comment line with ``+goose`` that goose would refuse."""
    for mark in file.marks:
        if mark.refusal is None:
            continue
        blanks = len(mark.text) - len(mark.text.lstrip(" \t"))
        at = file.start(mark.line)
        yield Flaw(
            f"goose will stop at this file, after it has applied the ones before: {mark.refusal.message}.",
            line=mark.line,
            column=blanks + 1,
            end_column=len(mark.text.rstrip()) + 1,
            instead=_instead(mark),
            fix=(Edit(at, at + blanks, ""),) if _only_indented(mark) else (),
        )


def _only_indented(mark: Mark) -> bool:
    try:
        return bool(name_of(mark.line, mark.text.lstrip(" \t"))) and mark.text != mark.text.lstrip(" \t")
    except GooseSyntax:
        return False


def _instead(mark: Mark) -> str:
    if _only_indented(mark):
        return mark.text.strip()
    word = mark.text.replace("--", "").replace("+goose", "", 1).strip()
    near = closest(word, NAMES)
    return f"-- +goose {near}" if near else mark.text.strip().replace("+goose", "goose")
