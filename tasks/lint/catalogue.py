"""The operation `rules`: every rule on one line, or one with its reasons and examples."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from schemas.errors import SelectionError
from schemas.nearest import nearest
from tasks.lint.manual import page, parts
from tasks.lint.rule import Listed, listed
from tasks.work import Outcome, Work

__all__ = ["named", "run"]


def run(work: Work) -> Outcome:
    """Print what was asked for. Raises SelectionError for a rule that there is not."""
    rules = listed()
    if work.targets:
        lines = [line for line in page(named(work.target.service or "")).splitlines() if not line.startswith("<!--")]
        work.out("\n".join(line for before, line in zip(["x", *lines], lines, strict=False) if line or before))
        return Outcome(summary="")
    work.out("\n".join(_table(rules)))
    return Outcome(summary=f"{len(rules)} rules; doit rules:CODE shows one")


def named(word: str) -> Listed:
    """The rule of that code or name, however it is written. Raises SelectionError, with the nearest one."""
    known = {name: one for one in listed() for name in (one.rule.code, one.rule.name)}
    for name, one in known.items():
        if name.lower() == word.lower():
            return one
    raise SelectionError(f"there is no rule `{word}`{nearest(word, known)}", todo="doit rules")


def _table(rules: tuple[Listed, ...]) -> Iterator[str]:
    width = max(len(one.rule.name) for one in rules)
    group = ""
    for one in rules:
        if one.group != group:
            if group:
                yield ""
            group = one.group
            yield (importlib.import_module(f"tasks.lint.rules.{group}").__doc__ or "").strip().splitlines()[0]
        value = one.rule
        yield f"  {value.code}  {value.name:<{width}}  {value.severity:<7}  {parts(one)[0]}"
