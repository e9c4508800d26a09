"""The structure of a database: every object that migrations may make, each with one canonical definition."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

__all__ = ["Change", "Object", "Structure", "difference", "told"]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Object:
    """What an object is and how it is called: a column is ``column public.users.email``."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


Structure = Mapping[Object, str]
"""Each object's definition, in the server's own words and without anything that is not the migrations' doing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An object that two structures do not share: its definition in each, None where it is missing."""

    object: Object
    before: str | None
    after: str | None


def difference(before: Structure, after: Structure) -> tuple[Change, ...]:
    """The objects that differ, in the order of their kinds and names.

    Of an object that is missing whole, its parts are left out: a table that is gone says all of its columns.
    """
    differing = [one for one in {**before, **after} if before.get(one) != after.get(one)]
    whole = {one.name for one in differing if one.kind == "table" and (one not in before or one not in after)}
    return tuple(
        Change(object=one, before=before.get(one), after=after.get(one))
        for one in sorted(differing)
        if one.kind == "table" or not _part_of(one, whole)
    )


def told(change: Change) -> list[str]:
    """A change for people: one line, and below it the lines of the definition that differ."""
    if change.before is None:
        return [f"+ {change.object}: {_short(change.after or '')}".rstrip(": ")]
    if change.after is None:
        return [f"- {change.object}: {_short(change.before)}".rstrip(": ")]
    return [f"~ {change.object}", *_lines(change.before, change.after)]


def _lines(before: str, after: str) -> Iterator[str]:
    compared: Iterable[str] = difflib.ndiff(before.splitlines(), after.splitlines())
    yield from (f"    {line.rstrip()}" for line in compared if line[:2] in {"- ", "+ "})


def _short(definition: str) -> str:
    first, *rest = definition.splitlines() or [""]
    return f"{first} …" if rest else first


def _part_of(one: Object, whole: set[str]) -> bool:
    """Whether an object is a column, constraint, index or trigger of a table that is missing itself."""
    name = one.name
    while "." in name:
        name = name.rpartition(".")[0]
        if name in whole:
            return True
    return False
