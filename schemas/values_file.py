"""A Helm values file in which one text is written anew, with every other character left as it is.

The text is found by the positions that the YAML parser gives, and cut out of the file there. A round trip through a
YAML library would write the whole file anew: other indents, other quotes, other line ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from schemas.errors import Refused
from schemas.nearest import nearest

__all__ = ["Spot", "find", "written"]

LARGEST = 1024 * 1024  # characters of a file
DEEPEST = 64
BOM = "\ufeff"  # the parser skips it, and one of its two makes does not count it


class Spot(NamedTuple):
    """Where the text of a key stands in a file, and what it says."""

    key: str  # dotted
    text: str
    start: int  # in characters
    end: int
    line: int  # 1-based
    quotes: str  # what is around it: ", ' or nothing


def find(text: str, key: str, file: str) -> Spot:
    """Where a dotted key has its text. ``file`` is the name that messages show.

    Raises Refused where the file cannot be read, has no such key (with the line of the nearest), has it twice, or
    where its value is no text of one line that stands there itself: an anchor, an alias, a mapping.
    """
    import yaml  # noqa: PLC0415 - start-up: only who releases reads one

    if len(text) > LARGEST:
        raise Refused(f"larger than {LARGEST // 1024} kB, which no values file is", where=file)
    before = len(text) - len(text.removeprefix(BOM))
    try:
        events = iter(yaml.parse(text[before:], Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
        looking = _Looking(events, tuple(key.split(".")), file)
        looking.document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Refused(f"not YAML: {error.problem or error.context}", where=_at(file, mark)) from None
    except yaml.YAMLError as error:
        raise Refused(f"not YAML: {error}", where=file) from None
    spot = looking.spot
    if spot is None:
        raise looking.missing()
    return spot._replace(start=before + spot.start, end=before + spot.end)


def written(text: str, spot: Spot, value: str, file: str) -> str:
    """The file with another text at that spot, in the quotes that are there.

    Raises Refused where that would not be read as it is meant, which the new file is tried for.
    """
    quotes = spot.quotes if spot.text or spot.quotes else '"'
    gap = " " if text[spot.start - 1 : spot.start] == ":" else ""  # of a key without any value
    new = f"{text[: spot.start]}{gap}{quotes}{value}{quotes}{text[spot.end :]}"
    if find(new, spot.key, file).text != value:
        raise Refused(f"`{value}` cannot be written there", where=f"{file}:{spot.line}")
    return new


class _Looking:
    """Reads the events of a file once, and remembers how far along the key it has come."""

    def __init__(self, events: Iterator[Any], wanted: tuple[str, ...], file: str) -> None:
        self.events, self.wanted, self.file = events, wanted, file
        self.reached = 0  # parts of the key that were found
        self.line = 1  # of the nearest part
        self.beside: list[str] = []  # the keys that stand where the next part would
        self.spot: Spot | None = None

    def document(self) -> None:
        next(self.events)  # the stream's start
        if type(next(self.events)).__name__ == "StreamEndEvent":
            return
        self.node(next(self.events), 0, 0)
        next(self.events)  # the document's end
        if type(event := next(self.events)).__name__ != "StreamEndEvent":
            raise Refused("a second document begins here; values are one document", where=_at(self.file, event))

    def node(self, event: Any, matched: int | None, depth: int, *, flow: bool = False) -> None:
        """Read past one value. ``matched`` parts of the key lead to it; None: it is somewhere else."""
        if depth > DEEPEST:
            raise Refused("nested deeper than anybody writes by hand", where=_at(self.file, event))
        if matched == len(self.wanted):
            self.found(event, flow=flow)
        kind = type(event).__name__
        if kind == "MappingStartEvent":
            self.mapping(matched, depth, flow=flow or bool(event.flow_style))
        elif kind == "SequenceStartEvent":
            while type(inner := next(self.events)).__name__ != "SequenceEndEvent":
                self.node(inner, None, depth + 1)

    def mapping(self, matched: int | None, depth: int, *, flow: bool) -> None:
        seen: int | None = None
        while type(key := next(self.events)).__name__ != "MappingEndEvent":
            here = matched is not None and getattr(key, "value", None) == self.wanted[matched]
            if type(key).__name__ != "ScalarEvent":
                self.node(key, None, depth + 1)
            elif matched is not None and matched == self.reached:
                self.beside.append(key.value)
            if here and matched is not None:
                if seen is not None:
                    name = ".".join(self.wanted[: matched + 1])
                    raise Refused(f"`{name}` is given twice, first in line {seen}", where=_at(self.file, key))
                seen = key.start_mark.line + 1
                if matched + 1 > self.reached:
                    self.reached, self.line = matched + 1, seen
                    self.beside.clear()
            self.node(next(self.events), matched + 1 if here and matched is not None else None, depth + 1, flow=flow)

    def missing(self) -> Refused:
        """The error that there is no such key, at the nearest part of it."""
        here, rest = ".".join(self.wanted[: self.reached]), self.wanted[self.reached :]
        inner = f'{rest[-1]}: ""'
        for part in reversed(rest[:-1]):
            inner = f"{part}: {{{inner}}}"
        hint = nearest(rest[0], self.beside)
        return Refused(
            f"there is no key `{'.'.join(self.wanted)}`" + (f": `{here}` has no `{rest[0]}`" if here else "") + hint,
            where=f"{self.file}:{self.line}",
            todo=f"write `{inner}` there, commit and push it; or name another key in services.yaml",
        )

    def found(self, event: Any, *, flow: bool) -> None:
        kind = type(event).__name__
        start, end = event.start_mark, event.end_mark
        if kind == "AliasEvent" or event.anchor:
            what = "is shared with other keys (an anchor or an alias), and would change there too"
        elif kind != "ScalarEvent" or event.tag:
            what = "is no plain text"
        elif event.style in {"|", ">"} or start.line != end.line:
            what = "is a text of several lines"
        else:
            quotes = event.style or ('"' if flow else "")
            bare = event.value if event.style or event.value not in {"~", "null", "Null", "NULL"} else ""
            self.spot = Spot(".".join(self.wanted), bare, start.index, end.index, start.line + 1, quotes)
            return
        raise Refused(
            f"`{'.'.join(self.wanted)}` {what}",
            where=_at(self.file, event),
            todo='write it as one text of one line, such as ""; or name another key in services.yaml',
        )


def _at(file: str, place: Any) -> str:
    mark = getattr(place, "start_mark", place)
    return f"{file}:{mark.line + 1}" if mark else file
