"""What a package.json or another JSON file of settings runs: the texts under some of its keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]  # a string at a place, as json itself reads it
from typing import Any, NamedTuple

from tasks.lint.scripts.script import Script, Unreadable, align

__all__ = ["Text", "json_scripts", "texts"]

NAMES = """buildcommand command commands husky lint-staged pre-commit prisma scripts simple-git-hooks startcommand
    targets wireit"""
KEYS = frozenset(NAMES.split())
DEEPEST = 60
BLANK = re.compile(r"[ \t\r\n]*")
OTHER = re.compile(r"[^\s,\]}\"]+")


class Text(NamedTuple):
    """A string of a JSON file: the keys and positions that lead to it, and where it stands."""

    path: tuple[str | int, ...]
    value: str
    begin: int  # character of the first one inside the quotes
    end: int


def json_scripts(text: str) -> Iterator[Script]:
    """Each text somewhere below a key by which package.json and its kind name what is run. Raises Unreadable."""
    for one in texts(text):
        if any(str(step).lower() in KEYS for step in one.path):
            yield align(one.value, text, one.begin)


def texts(text: str) -> list[Text]:
    """The strings of a JSON file, keys left out. Raises Unreadable where it is none."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise Unreadable(f"it is no JSON: {error.msg}", error.lineno, error.colno) from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; thousands of brackets
        raise Unreadable("it is no JSON that anybody writes by hand") from error
    found: list[Text] = []
    _value(text, BLANK.match(text, 0).end(), (), found)  # type: ignore[union-attr]  # it matches the empty text
    return found


def _value(text: str, place: int, path: tuple[str | int, ...], found: list[Text]) -> int:
    """Read a value of a text that is JSON; the place after it."""
    if len(path) > DEEPEST:
        raise Unreadable("it is deeper than anybody writes by hand", text.count("\n", 0, place) + 1)
    opening = text[place]
    if opening == '"':
        value, end = scanstring(text, place + 1)
        found.append(Text(path, value, place + 1, end - 1))
        return int(end)
    if opening not in "[{":
        other = OTHER.match(text, place)
        return other.end() if other else place + 1
    place = _blank(text, place + 1)
    number = 0
    while text[place] not in "]}":
        key: Any = number
        if opening == "{":
            key, place = scanstring(text, place + 1)
            place = _blank(text, _blank(text, place) + 1)
        place = _blank(text, _value(text, place, (*path, key), found))
        if text[place] == ",":
            place = _blank(text, place + 1)
        number += 1
    return place + 1


def _blank(text: str, place: int) -> int:
    found = BLANK.match(text, place)
    return found.end() if found else place
