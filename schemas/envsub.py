r"""What goose's ENVSUB makes of one line: the shell-like expansions of github.com/mfridman/interpolate v0.0.2.

``$V`` ``${V}`` (unset: empty), ``${V:-default}`` (unset or empty), ``${V-default}`` (unset), ``${V?message}`` (unset:
an error), ``${V:offset}`` ``${V:offset:length}`` (in bytes), ``$$`` and ``\$`` (a dollar). Defaults and messages may
hold expansions. Text is UTF-8 decoded with ``surrogateescape``, as everywhere in the reader of goose files.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

__all__ = ["SPACE", "SubstitutionError", "expand", "unguarded"]

SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What Go takes as white space: without U+001C to U+001F, which Python takes too."""

BROKEN = re.compile("[\ud800-\udfff\ufffd]")  # a byte that is no UTF-8, or the character that Go reads it as
NUMBER = re.compile(r"([+-]?)0*([0-9]{1,19})")
INT64 = range(-(2**63), 2**63)

Part = Callable[[Mapping[str, str]], str]
"""A piece of a line that still waits for the environment."""


class SubstitutionError(ValueError):
    """A line that goose cannot expand; ``goose`` is the beginning of its own wording, without values of variables."""

    def __init__(self, goose: str, message: str = "") -> None:
        self.goose = goose
        super().__init__(message or goose)


def expand(line: str, environment: Mapping[str, str]) -> str:
    """The line with every expansion replaced; SubstitutionError where goose would stop.

    The whole line is read before anything is looked up: a mistake at its end comes before an unset ``${V?}``.
    """
    if "$" not in line and not BROKEN.search(line):
        return line
    try:
        part, _ = _sequence(line, 0, stop="")
        expanded = part(environment)
    except RecursionError:
        raise SubstitutionError("expansions are nested too deeply") from None
    # half characters that substrings cut may have come together to whole ones
    return expanded.encode(errors="surrogateescape").decode(errors="surrogateescape")


def unguarded(line: str) -> list[tuple[int, str, str]]:
    """The variables of a line that become nothing where they are not set: column, name, and how each is written.

    A default or a ``?`` guards one, also one inside it. None of a line that cannot be expanded.
    """
    seen: list[str] = []

    class Seen(dict[str, str]):
        def get(self, name: str, default: Any = None) -> Any:
            seen.append(name)
            return default

        def __contains__(self, name: object) -> bool:
            return True

        def __getitem__(self, name: str) -> str:
            return ""

    with suppress(SubstitutionError):
        expand(line, Seen())
    plain = {name: re.search(rf"\$(?:{{{name}}}|{name}(?![\w]))", line) for name in dict.fromkeys(seen)}
    return [(found.start() + 1, name, found[0]) for name, found in plain.items() if found]


def _sequence(line: str, at: int, *, stop: str) -> tuple[Part, int]:
    """Read text and expansions up to the ``stop`` character, which is left to be read."""
    parts: list[str | Part] = []
    while at < len(line) and line[at] != stop:
        pair = line[at : at + 2]
        if pair in {"\\\\", "$("}:
            parts.append(pair)
            at += 2
        elif pair in {"\\$", "$$"}:
            parts.append("$")
            at += 2
        elif line[at] == "$" and at < len(line) - 1:
            part, at = _expansion(line, at + 1)
            parts.append(part)
        else:
            parts.append(BROKEN.sub("\ufffd", line[at]))
            end = _until(line, at + 1, f"$\\{stop}")
            parts.append(line[at + 1 : end])
            at = end
    return (lambda environment: "".join(p if isinstance(p, str) else p(environment) for p in parts)), at


def _expansion(line: str, at: int) -> tuple[Part, int]:
    """Read what follows a dollar."""
    if line[at] != "{":
        name, at = _identifier(line, at)
        return (lambda environment: environment.get(name, "")), at
    name, at = _identifier(line, at + 1)
    operator, at = line[at : at + 1], at + 1
    if operator == "}":
        return (lambda environment: environment.get(name, "")), at
    if operator == ":" and line[at : at + 1] == "-":
        content, at = _sequence(line, at + 1, stop="}")
        part: Part = lambda environment: environment.get(name, "") or content(environment)  # noqa: E731 - a closure
    elif operator == ":":
        part, at = _substring(line, at, name)
    elif operator == "-":
        content, at = _sequence(line, at, stop="}")
        part = lambda environment: environment[name] if name in environment else content(environment)  # noqa: E731 - a closure
    elif operator == "?":
        content, at = _sequence(line, at, stop="}")
        part = _required(name, content)
    else:
        raise SubstitutionError(f"Expected an operator, got {_shown(operator)}")
    if line[at : at + 1] != "}":
        raise SubstitutionError(f"Expected brace expansion to end with }}, got {_shown(line[at : at + 1])}")
    return part, at + 1


def _required(name: str, message: Part) -> Part:
    def part(environment: Mapping[str, str]) -> str:
        if name not in environment:
            message(environment)  # its own mistakes come first
            raise SubstitutionError(f"${name}: ", f"{name} is not set")
        return environment[name]

    return part


def _substring(line: str, at: int, name: str) -> tuple[Part, int]:
    """Read ``offset`` or ``offset:length``; negative ones count from the end, all are cut to the value."""
    end = _until(line, at, ":}")
    offset, at = _number(line[at:end], "offset"), end
    length: int | None = None
    if line[at : at + 1] != "}":
        end = _until(line, at + 1, "}")
        length, at = _number(line[at + 1 : end], "length"), end

    def part(environment: Mapping[str, str]) -> str:
        value = environment.get(name, "").encode(errors="surrogateescape")
        start = min(max(offset + len(value) if offset < 0 else offset, 0), len(value))
        stop = len(value)
        if length is not None:
            stop = max(length + len(value), start) if length < 0 else start + length
            if stop not in INT64:
                raise SubstitutionError("panic: runtime error: slice bounds out of range", "the length is too large")
        return value[start : min(stop, len(value))].decode(errors="surrogateescape")

    return part, at


def _number(text: str, what: str) -> int:
    found = NUMBER.fullmatch(text.strip(SPACE))
    number = int(found[1] + found[2]) if found else None
    if number is None or number not in INT64:
        raise SubstitutionError(f"Unable to parse {what}: ", f"the {what} is no whole number of 64 bits")
    return number


def _identifier(line: str, at: int) -> tuple[str, int]:
    if at >= len(line) or unicodedata.category(line[at])[0] != "L":
        raise SubstitutionError(f"Expected identifier to start with a letter, got {_shown(line[at : at + 1])}")
    end = at + 1
    while end < len(line) and (line[end] == "_" or unicodedata.category(line[end])[0] in "LN"):
        end += 1
    return line[at:end], end


def _until(line: str, at: int, stops: str) -> int:
    """Where the next of these characters stands, or a broken one, at which Go's scan ends as well."""
    found = re.compile(f"[{re.escape(stops)}\ud800-\udfff\ufffd]").search(line, at)
    return found.start() if found else len(line)


def _shown(character: str) -> str:
    """A character as Go's ``%c`` prints it; the line's end counts as a broken one."""
    return BROKEN.sub("\ufffd", character) or "\ufffd"
