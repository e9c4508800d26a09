"""What YAML that somebody else wrote for another program says, as far as it is plain: values files and manifests.

Unlike schemas/yaml_positions.py it takes several documents, anchors and tags, and `documents` says nothing of mistakes.
An alias is one and the same value again, never a copy of it, and reading ends at a number of nodes: nothing expands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

__all__ = ["Marked", "Read", "documents", "flat", "merged", "read"]

LARGEST = 256 * 1024  # bytes of a file
NODES = 20_000  # of a file
DEEPEST = 24
LEAVES = 4_000  # of a flattened document, aliases counted each time that they are used
EXPANDED = 100_000  # nodes of a file, aliases counted each time that they are used
WHOLE = re.compile(r"[-+]?[0-9]{1,18}")
WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class Marked(NamedTuple):
    """A document, and the line and column (1-based) of each key of a mapping and each item of a list, by its path."""

    data: Any
    marks: dict[tuple[str | int, ...], tuple[int, int]]


class Read(NamedTuple):
    """What a file holds, up to its first mistake: what that is, and its line and column; empty when there is none."""

    documents: tuple[Marked, ...]
    mistake: str = ""
    mark: tuple[int, int] = (1, 1)


class _TooMuchError(Exception):
    """More nodes, or deeper ones, than anybody writes by hand."""


def documents(text: str) -> list[Any]:
    """The documents of a file, as mappings, lists and scalars; those before the first that cannot be read."""
    return [document.data for document in read(text, most=None).documents]


def read(text: str, *, most: int | None = EXPANDED) -> Read:
    """The documents of a file with their positions.

    More than ``most`` nodes, each alias counted as all that it stands for, are a mistake: other programs expand them.
    """
    import yaml  # noqa: PLC0415 - start-up: only who looks through a monorepo reads it

    if len(text) > LARGEST:
        return Read((), f"larger than {LARGEST // 1024} kB")
    found: list[Marked] = []
    reading = _Reading(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)), most)
    try:
        for event in reading.events:
            if type(event).__name__ == "DocumentStartEvent":
                reading.anchors.clear()
                reading.marks = {}
                found.append(Marked(reading.node(next(reading.events), (), 0), reading.marks))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return Read(tuple(found), f"not YAML: {error.problem or error.context}", place)
    except (yaml.YAMLError, StopIteration):
        return Read(tuple(found), "not YAML")
    except (_TooMuchError, RecursionError):
        return Read(tuple(found), "too deep, too many nodes, or aliases that multiply: nobody writes that by hand")
    return Read(tuple(found))


def flat(data: Any) -> dict[str, Any]:
    """The scalars of a document under their dotted keys; entries of a list of ``name``, ``value`` by their name."""
    found: dict[str, Any] = {}
    waiting: list[tuple[str, Any, int]] = [("", data, 0)]
    looked_at = 0
    while waiting and looked_at < LEAVES:
        path, value, depth = waiting.pop()
        looked_at += 1
        if isinstance(value, dict) and depth < DEEPEST:
            waiting += [(f"{path}.{key}" if path else key, inner, depth + 1) for key, inner in reversed(value.items())]
        elif isinstance(value, list) and depth < DEEPEST:
            for position, inner in reversed(list(enumerate(value[:LEAVES]))):
                if isinstance(inner, dict) and isinstance(inner.get("name"), str) and "value" in inner:
                    waiting.append((f"{path}.{inner['name']}", inner["value"], depth + 1))
                else:
                    waiting.append((f"{path}.{position}", inner, depth + 1))
        elif not isinstance(value, dict | list):
            found.setdefault(path, value)
    return found


def merged(*layers: dict[str, Any]) -> dict[str, Any]:
    """Flattened documents laid over each other as Helm does it with values files: the last one wins."""
    return {key: value for layer in layers for key, value in layer.items()}


class _Reading:
    def __init__(self, events: Iterator[Any], most: int | None) -> None:
        self.events = iter(events)
        self.most = most
        self.anchors: dict[str, tuple[Any, int]] = {}  # the value, and how many nodes it stands for
        self.marks: dict[tuple[str | int, ...], tuple[int, int]] = {}
        self.nodes = self.expanded = 0

    def node(self, event: Any, path: tuple[str | int, ...], depth: int) -> Any:
        self.nodes += 1
        self.expanded += 1
        before = self.expanded
        if self.nodes > NODES or depth > DEEPEST:
            raise _TooMuchError
        kind = type(event).__name__
        self.marks.setdefault(path, (event.start_mark.line + 1, event.start_mark.column + 1))
        if kind == "AliasEvent":
            value, size = self.anchors.get(event.anchor, (None, 0))  # none while it is being read: there are no circles
            self.expanded += size
            if self.most is not None and self.expanded > self.most:
                raise _TooMuchError
            return value
        if kind == "MappingStartEvent":
            value = self.mapping(path, depth)
        elif kind == "SequenceStartEvent":
            value = []
            while type(inner_event := next(self.events)).__name__ != "SequenceEndEvent":
                value.append(self.node(inner_event, (*path, len(value)), depth + 1))
        else:
            value = event.value if event.style else _plain(event.value)
        if event.anchor:
            self.anchors[event.anchor] = value, self.expanded - before
        return value

    def mapping(self, path: tuple[str | int, ...], depth: int) -> dict[str, Any]:
        value: dict[str, Any] = {}
        while type(event_of_key := next(self.events)).__name__ != "MappingEndEvent":
            key = self.node(event_of_key, (*path, "?"), depth + 1)
            inner_path = (*path, str(key))
            self.marks[inner_path] = event_of_key.start_mark.line + 1, event_of_key.start_mark.column + 1
            inner = self.node(next(self.events), inner_path, depth + 1)
            if key == "<<" and isinstance(inner, dict):
                value = {**inner, **value}
            elif isinstance(key, str | int | bool):
                value[str(key)] = inner
        return value


def _plain(text: str) -> Any:
    if text in WORDS:
        return WORDS[text]
    return int(text) if WHOLE.fullmatch(text) else text
