"""Kubernetes objects as they stand in a file, or come out of a chart, and where each part of them was written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from schemas.yaml_lenient import Marked, read

__all__ = ["Manifest", "Origin", "Place", "Unreadable", "manifests"]

Path = tuple[str | int, ...]
EXPRESSION = re.compile(r"\{\{-?\s*(?:if|with|range)\b.*?\{\{-?\s*end\s*-?\}\}|\{\{.*?\}\}")
KEY = re.compile(r"(?:- +)?(?P<key>[\"']?[A-Za-z][\w./-]*[\"']?:)(?=\s|$)")


class Place(NamedTuple):
    """A position in a file, 1-based; the path is relative to the monorepo's root."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Unreadable(NamedTuple):
    """A text that is no YAML, or more of it than anybody writes."""

    place: Place
    why: str


class Origin(NamedTuple):
    """The files that a rendered text may be from, the template first, then what it may include."""

    sources: tuple[tuple[str, str], ...]  # path, text
    rendered: str

    def place(self, line: int) -> Place | None:
        """Where a rendered line (1-based) was written; None when several lines could have become it, or none."""
        lines = self.rendered.splitlines()
        wanted = lines[line - 1].strip() if line <= len(lines) else ""
        fitting = [
            (score, order, Place(path, number, len(one) - len(one.lstrip()) + 1))
            for order, (path, text) in enumerate(self.sources if wanted else ())
            for number, one in enumerate(text.splitlines(), 1)
            if (score := _fits(one.strip(), wanted))
        ]
        best = max((score for score, _, _ in fitting), default=0)
        found = [(order, place) for score, order, place in fitting if score == best]
        own = [place for order, place in found if order == 0]  # what the template itself says goes first
        only = own or [place for _, place in found]
        return only[0] if len(only) == 1 else None


class Manifest(NamedTuple):
    """One object, with the positions of its parts."""

    data: Mapping[str, Any]
    file: str
    marks: Mapping[Path, tuple[int, int]]
    origin: Origin | None = None  # None: the object stands in the file as it is

    @property
    def kind(self) -> str:
        """``Job``; empty where there is none."""
        return str(self.data.get("kind") or "")

    @property
    def name(self) -> str:
        """Its name; empty where Kubernetes is to make one up."""
        return text(self.get("metadata", "name"))

    @property
    def annotations(self) -> Mapping[str, str]:
        """Its annotations, as text."""
        found = self.get("metadata", "annotations")
        return {key: text(value) for key, value in found.items()} if isinstance(found, dict) else {}

    def get(self, *path: str | int) -> Any:
        """The value at a path; None where there is none."""
        value: Any = self.data
        for step in path:
            if isinstance(value, Mapping) and isinstance(step, str):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                return None
        return value

    def at(self, *path: str | int) -> Place:
        """Where the key at a path was written, or the closest part around it of which that can be said."""
        for length in range(len(path), 0, -1):
            mark = self.marks.get(path[:length])
            place = self._placed(mark) if mark else None
            if place:
                return place
        return self._placed(self.marks.get((), (1, 1))) or Place(self.file)

    def _placed(self, mark: tuple[int, int]) -> Place | None:
        return self.origin.place(mark[0]) if self.origin else Place(self.file, *mark)


def manifests(
    content: str, file: str, sources: tuple[tuple[str, str], ...] | None = None
) -> Iterator[Manifest | Unreadable]:
    """Every object of a text, those of a ``List`` one by one, then what could not be read of it.

    ``sources`` are given for a rendered text: the template and what it may include.
    """
    origin = None if sources is None else Origin(sources, content)
    found = read(content)
    for document in found.documents:
        yield from _objects(document, file, origin)
    if found.mistake:
        placed = (origin.place(found.mark[0]) or Place(file)) if origin else Place(file, *found.mark)
        yield Unreadable(placed, found.mistake)


def text(value: Any) -> str:
    """A scalar as text; empty for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else ""


def _objects(document: Marked, file: str, origin: Origin | None) -> Iterator[Manifest]:
    data = document.data
    if not isinstance(data, dict) or not isinstance(data.get("kind"), str):
        return
    if data["kind"] != "List" or not isinstance(data.get("items"), list):
        yield Manifest(data, file, document.marks, origin)
        return
    for number, item in enumerate(data["items"]):
        if isinstance(item, dict):
            inner = {path[2:]: mark for path, mark in document.marks.items() if path[:2] == ("items", number)}
            yield from _objects(Marked(item, inner), file, origin)


def _fits(written: str, wanted: str) -> int:
    """How surely a line of a template has become a rendered one; 0 where it has not.

    The same line is surest, then one that is the same around its expressions, the longer the surer; the same key is the
    least, as that line may have come out of an expression as a whole.
    """
    if written == wanted:
        return 1_000_000
    if "{{" in written:
        around = EXPRESSION.split(written)
        literal = sum(map(len, around))
        if literal and re.fullmatch(".*".join(map(re.escape, around)), wanted):
            return 1 + literal
    key = KEY.match(wanted)
    return 1 if key and written.removeprefix("- ").lstrip().startswith(key["key"]) else 0
