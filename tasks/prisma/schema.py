"""A schema.prisma as text: what a pull would lose of it, goose's table in it, and how a first one looks."""

from __future__ import annotations

import re
from collections.abc import Iterable

from schemas.structure import Object, Structure

__all__ = ["beginning", "comments", "not_held", "provider", "variable", "without_table"]

STRING = r'"(?:[^"\\\n]|\\.)*"'
COMMENT = re.compile(rf"{STRING}|(?P<comment>//[^\n]*)")
SOURCE = re.compile(r"^datasource\s+\w+\s*\{(?P<body>.*?)^\}", re.MULTILINE | re.DOTALL)
URL = re.compile(r'^\s*url\s*=\s*env\("(?P<name>[A-Za-z_]\w*)"\)', re.MULTILINE)
PROVIDER = re.compile(r'^\s*provider\s*=\s*"(?P<name>[^"\n]+)"', re.MULTILINE)
MODEL = re.compile(r"(?:^///[^\n]*\n)*^model\s+(?P<name>\w+)\s*\{(?P<body>.*?)^\}\n*", re.MULTILINE | re.DOTALL)
MAPPED = re.compile(r'^\s*@@map\("(?P<name>[^"]+)"\)', re.MULTILINE)
EXPRESSION = re.compile(r"USING \w+ \(.*[(]|\bWHERE\b")


def beginning(variable: str, output: str) -> str:
    """A first schema: the generator and the datasource; ``output`` is empty where the client's usual place is free."""
    where = f'\n  output   = "{output}"' if output else ""
    return (
        f'generator client {{\n  provider = "prisma-client-js"{where}\n}}\n\n'
        f'datasource db {{\n  provider = "postgresql"\n  url      = env("{variable}")\n}}\n'
    )


def comments(text: str) -> tuple[tuple[int, str], ...]:
    """Line and text of each ``//`` comment: a pull drops them, and keeps those with ``///``."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        for piece in COMMENT.finditer(line):
            comment = piece["comment"]
            if comment and not comment.startswith("///"):
                found.append((number, comment))
    return tuple(found)


def provider(text: str) -> str | None:
    """The kind of database that the datasource is for; None where there is no datasource."""
    source = SOURCE.search(text)
    found = PROVIDER.search(source["body"]) if source else None
    return found["name"] if found else None


def variable(text: str) -> str | None:
    """The environment variable that the datasource takes its URL from; None where it names none."""
    source = SOURCE.search(text)
    url = URL.search(source["body"]) if source else None
    return url["name"] if url else None


def without_table(text: str, table: str) -> str:
    """The schema without the model of a table (goose's), ending in one line end."""
    bare = table.rpartition(".")[2]

    def kept(model: re.Match[str]) -> str:
        mapped = MAPPED.search(model["body"])
        return "" if (mapped["name"] if mapped else model["name"]) == bare else model[0]

    return MODEL.sub(kept, text).rstrip("\n") + "\n"


def not_held(structure: Structure) -> tuple[str, ...]:
    """What the database has and a schema.prisma cannot say, a line a kind: it stays in the migrations alone."""
    kinds: dict[str, list[str]] = {}
    for one in sorted(structure):
        if _escapes(one, structure[one]):
            kinds.setdefault(one.kind, []).append(one.name.removeprefix("public."))
    return tuple(f"{kind}: {', '.join(names)}" for kind, names in kinds.items())


def _escapes(one: Object, definition: str) -> bool:
    kinds: Iterable[str] = ("view", "materialized view", "trigger", "policy", "rule", "function", "procedure", "domain")
    if one.kind in kinds:
        return True
    if one.kind == "index":
        return bool(EXPRESSION.search(definition))
    return one.kind == "constraint" and definition.startswith(("CHECK", "EXCLUDE"))
