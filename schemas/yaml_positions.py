"""What a YAML document holds, and on which line and column each of its keys and values stands.

Only plain data is read: mappings with text keys, lists and scalars as YAML 1.2 reads them (``on`` and ``yes`` are
text), which is how editors read the file as well. Anchors, aliases and tags are refused, so nothing can expand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

from schemas.errors import CatalogError, Mistake

__all__ = ["Document", "Path", "after", "read"]

Path = tuple[str | int, ...]
Mark = tuple[int, int]  # line and column, 1-based, as editors count

DEEPEST = 16
# What YAML does not print, and the line ends that it counts but editors do not: U+0085, U+2028, U+2029.
FOREIGN = re.compile(r"[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")  # an escape in quotes can still make one
WHOLE = re.compile(r"[-+]?[0-9]{1,18}")
FRACTION = re.compile(r"[-+]?(?:\.[0-9]{1,18}|[0-9]{1,18}\.[0-9]{0,18})(?:[eE][-+]?[0-9]{1,3})?")
WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Plain data with the positions of its parts, and the mistakes that did not stop the reading."""

    file: str
    data: Any = None
    keys: dict[Path, Mark] = field(default_factory=dict)
    values: dict[Path, Mark] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def at_key(self, path: Path) -> Mark:
        """Where the key stands, or the closest part around it that is in the file."""
        while path and path not in self.keys:
            path = path[:-1]
        return self.keys.get(path) or self.values.get((), (1, 1))

    def at_value(self, path: Path) -> Mark:
        """Where the value stands, or the key of the closest part around it that is in the file."""
        return self.values.get(path) or self.at_key(path)

    def mistake(self, mark: Mark, message: str, hint: str = "") -> Mistake:
        """Word a mistake at a position of this document."""
        return Mistake(file=self.file, line=mark[0], column=mark[1], message=message, hint=hint)


def read(text: str, file: str) -> Document:
    """Read one document; CatalogError where reading cannot go on. ``file`` is the name that messages show."""
    import yaml  # noqa: PLC0415 - not needed while the file is as it was when it was last checked

    found = FOREIGN.search(text)
    if found:
        _stop(file, after(text[: found.start()]), f"not YAML: the character U+{ord(found[0]):04X} may not stand in it")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document = Document(file=file)
    try:
        events = iter(yaml.parse(text, Loader=loader))
        data = _document(events, document)
    except yaml.MarkedYAMLError as error:
        _refused(error, text, file)
    except yaml.YAMLError as error:
        _stop(file, (1, 1), f"not YAML: {error}")
    return Document(file=file, data=data, keys=document.keys, values=document.values, mistakes=document.mistakes)


def after(text: str) -> Mark:
    """Return the position of what follows the text."""
    lines = f"{text}.".splitlines()
    return len(lines), len(lines[-1])


def _document(events: Iterator[Any], document: Document) -> Any:
    next(events)  # the stream's start
    if type(next(events)).__name__ == "StreamEndEvent":
        return None
    data = _node(next(events), events, (), document)
    next(events)  # the document's end
    after = next(events)
    if type(after).__name__ != "StreamEndEvent":
        _stop(document.file, _mark(after), "a second document starts here; the file is one document")
    return data


def _node(event: Any, events: Iterator[Any], path: Path, document: Document) -> Any:
    mark = document.values[path] = _mark(event)
    if event.anchor:
        _stop(document.file, mark, "anchors and aliases are not read here; write the value out in each place")
    if event.tag:
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        _stop(document.file, mark, f"the tag `{tag}` is not read here; write a plain value")
    if len(path) > DEEPEST:
        _stop(document.file, mark, f"nested more than {DEEPEST} deep")
    kind = type(event).__name__
    if kind == "MappingStartEvent":
        return _mapping(events, path, document)
    if kind == "SequenceStartEvent":
        items: list[Any] = []
        while type(event := next(events)).__name__ != "SequenceEndEvent":
            items.append(_node(event, events, (*path, len(items)), document))
        return items
    if BREAKS.search(event.value):
        document.mistakes.append(document.mistake(mark, "the text holds a line break or control character"))
        return BREAKS.sub("", event.value)
    return event.value if event.style else _plain(event.value)


def _mapping(events: Iterator[Any], path: Path, document: Document) -> dict[str, Any]:
    entries: dict[str, Any] = {}
    while type(event := next(events)).__name__ != "MappingEndEvent":
        mark = _mark(event)
        if type(event).__name__ != "ScalarEvent" or event.anchor or event.tag:
            _stop(document.file, mark, "a key must be plain text")
        key = event.value
        inner = (*path, key)
        if BREAKS.search(key):
            document.mistakes.append(document.mistake(mark, "the key holds a line break or control character"))
        elif key in entries:
            first = document.keys[inner][0]
            document.mistakes.append(
                document.mistake(mark, f"duplicate key `{key}`; it is first given in line {first}")
            )
        else:
            document.keys[inner] = mark
            entries[key] = _node(next(events), events, inner, document)
            continue
        aside = Document(file=document.file)  # what stands under a key that does not count still has to be read past
        _node(next(events), events, inner, aside)
    return entries


def _plain(text: str) -> Any:
    if text in WORDS:
        return WORDS[text]
    if WHOLE.fullmatch(text):
        return int(text)
    if FRACTION.fullmatch(text):
        return float(text)
    return text


def _mark(event: Any) -> Mark:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _refused(error: Any, text: str, file: str) -> NoReturn:
    """Word what the parser refused; an unclosed quote or bracket is shown where it opens."""
    lines = text.splitlines() or [""]
    place = error.problem_mark or error.context_mark
    line, column = min(place.line, len(lines) - 1), place.column
    column = min(column, len(lines[line])) if line == place.line else len(lines[line])
    problem = error.problem
    if lines[line][column : column + 1] == "\t":
        _stop(file, (line + 1, column + 1), "a tab indents this line; YAML takes spaces only")
    if error.context and error.context_mark and error.context_mark.line != place.line:
        problem += f", {error.context} that begins in line {error.context_mark.line + 1}"
    _stop(file, (line + 1, column + 1), f"not YAML: {problem}")


def _stop(file: str, mark: Mark, message: str) -> NoReturn:
    raise CatalogError((Mistake(file=file, line=mark[0], column=mark[1], message=message),))
