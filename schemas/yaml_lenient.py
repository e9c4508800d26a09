"""What YAML that somebody else wrote for another program says, as far as it is plain: values files and manifests.

Unlike schemas/yaml_positions.py it takes several documents, anchors and tags, and says nothing of mistakes. An alias is
one and the same value again, never a copy of it, and reading ends at a number of nodes: nothing expands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

__all__ = ["documents", "flat", "merged"]

LARGEST = 256 * 1024  # bytes of a file
NODES = 20_000  # of a file
DEEPEST = 24
LEAVES = 4_000  # of a flattened document, aliases counted each time that they are used
WHOLE = re.compile(r"[-+]?[0-9]{1,18}")
WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class _TooMuchError(Exception):
    """More nodes, or deeper ones, than anybody writes by hand."""


def documents(text: str) -> list[Any]:
    """The documents of a file, as mappings, lists and scalars; those before the first that cannot be read."""
    import yaml  # noqa: PLC0415 - start-up: only who looks through a monorepo reads it

    found: list[Any] = []
    if len(text) > LARGEST:
        return found
    reading = _Reading(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    try:
        for event in reading.events:
            if type(event).__name__ == "DocumentStartEvent":
                reading.anchors.clear()
                found.append(reading.node(next(reading.events), 0))
    except (yaml.YAMLError, _TooMuchError, RecursionError, StopIteration):
        pass
    return found


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
    def __init__(self, events: Iterator[Any]) -> None:
        self.events = iter(events)
        self.anchors: dict[str, Any] = {}
        self.nodes = 0

    def node(self, event: Any, depth: int) -> Any:
        self.nodes += 1
        if self.nodes > NODES or depth > DEEPEST:
            raise _TooMuchError
        kind = type(event).__name__
        if kind == "AliasEvent":
            return self.anchors.get(event.anchor)  # one that is still being read is nothing: there are no circles
        value: Any
        if kind == "MappingStartEvent":
            value = {}
            while type(event_of_key := next(self.events)).__name__ != "MappingEndEvent":
                key = self.node(event_of_key, depth + 1)
                inner = self.node(next(self.events), depth + 1)
                if key == "<<" and isinstance(inner, dict):
                    value = {**inner, **value}
                elif isinstance(key, str | int | bool):
                    value[str(key)] = inner
        elif kind == "SequenceStartEvent":
            value = []
            while type(inner_event := next(self.events)).__name__ != "SequenceEndEvent":
                value.append(self.node(inner_event, depth + 1))
        else:
            value = event.value if event.style else _plain(event.value)
        if event.anchor:
            self.anchors[event.anchor] = value
        return value


def _plain(text: str) -> Any:
    if text in WORDS:
        return WORDS[text]
    return int(text) if WHOLE.fullmatch(text) else text
