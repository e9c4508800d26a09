"""The models of a schema.prisma with their places, by the reference of Prisma 6's schema language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Field", "Model", "comments", "models"]

STRING = r'"(?:[^"\\\n]|\\.)*+"?'
COMMENT = re.compile(rf"{STRING}|(?P<comment>//[^\n]*)")
BLOCK = re.compile(r"\s*(?:model|view)\s+(?P<name>\w+)\s*\{")
FIELD = re.compile(r"\s+(?P<name>\w+)\s+(?P<type>[\w.]+)(?P<many>\[\]|\?)?(?P<rest>.*)")
MAPPED = re.compile(rf"@@map\(\s*(?:name:\s*)?(?P<name>{STRING})")
LISTED = re.compile(r"@@id\(\s*(?:fields:\s*)?\[(?P<names>[^\]]*)\]|@relation\([^)]*?fields:\s*\[(?P<keys>[^\]]*)\]")


class Field(NamedTuple):
    """A field of a model: its scalar type or model, and its attributes as they are written."""

    name: str
    type: str
    attributes: str
    line: int
    column: int
    end_column: int


class Model(NamedTuple):
    """A model, and the table that it stands for."""

    name: str
    table: str
    fields: tuple[Field, ...]
    ids: frozenset[str]  # the fields that are its key, or refer to another's
    line: int
    column: int


def models(text: str) -> Iterator[Model]:
    """The models and views of a schema, in order."""
    for name, line, column, body in _blocks(text):
        inner = "\n".join(body)
        mapped = MAPPED.search(inner)
        fields = tuple(_fields(body, line + 1))
        listed = (one["names"] or one["keys"] for one in LISTED.finditer(inner))
        ids = {word for names in listed for word in re.findall(r"\w+", names)}
        ids |= {field.name for field in fields if re.search(r"@id\b", field.attributes)}
        table = mapped["name"].strip('"') if mapped else name
        yield Model(name, table, fields, frozenset(ids), line, column)


def comments(text: str) -> Iterator[tuple[int, int, str]]:
    """Line, column and text of each comment that a pull drops: those with two slashes."""
    for number, line in enumerate(text.split("\n"), 1):
        for found in COMMENT.finditer(line):
            if found["comment"] and not found["comment"].startswith("///"):
                yield number, found.start() + 1, found["comment"].rstrip()


def _blocks(text: str) -> Iterator[tuple[str, int, int, list[str]]]:
    """Name, line, column and inner lines of each block; one that is never closed reaches to the end."""
    lines = [COMMENT.sub(_blank, line.removesuffix("\r")) for line in text.split("\n")]
    number = 0
    while number < len(lines):
        found = BLOCK.match(lines[number])
        begin = number = number + 1
        if found:
            while number < len(lines) and not lines[number].lstrip().startswith("}"):
                number += 1
            yield found["name"], begin, len(found[0]) - len(found[0].lstrip()) + 1, lines[begin:number]


def _fields(body: list[str], line: int) -> Iterator[Field]:
    for number, text in enumerate(body, line):
        if found := FIELD.match(text):
            end = len(text.rstrip()) + 1
            yield Field(found["name"], found["type"], found["rest"].strip(), number, found.start("name") + 1, end)


def _blank(found: re.Match[str]) -> str:
    return " " * len(found[0]) if found["comment"] else found[0]
