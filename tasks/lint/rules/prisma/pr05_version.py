"""PR05 version: Prisma's packages are one exact version of Prisma 6.

Problem: package.json, or a catalog of pnpm, asks for a range of `prisma`, `@prisma/client` or an adapter, for another
major version than 6, or for different versions of them.

Consequence: Two machines install two Prismas, and write different schemas and clients from the same database. A client
made by one version and run by another fails when it starts. Prisma 7 has no engine that pulls without a download.

Solution: The same exact version of each: `"prisma": "6.19.3"`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from schemas.yaml_lenient import read
from tasks.lint.finding import Flaw
from tasks.lint.rule import Rule
from tasks.lint.scripts.json import texts
from tasks.lint.scripts.script import Unreadable
from tasks.lint.service import Service
from tasks.lint.source import Source

__all__ = ["RULE", "check"]

RULE = Rule(code="PR05", name="version", severity="error", needs="service", engines=("postgres",))

PACKAGES = re.compile(r"prisma|@prisma/(?:client|adapter-[a-z0-9-]+|instrumentation)")
GROUPS = frozenset(("dependencies", "devDependencies", "optionalDependencies", "overrides", "resolutions"))
EXACT = re.compile(r"6\.[0-9]+\.[0-9]+")
NEAR = re.compile(r"[\^~>=v\s]*(?P<version>6\.[0-9]+\.[0-9]+)\b.*")
OTHER = re.compile(r"[\^~>=v\s]*(?P<major>[0-9]+)\b.*")
ELSEWHERE = ("catalog:", "workspace:", "file:", "link:", "portal:", "$")  # another place says the version
USUAL = "6.19.3"


class _Asked(NamedTuple):
    package: str
    version: str
    line: int
    column: int
    end_column: int


def check(service: Service) -> Iterator[Flaw]:
    """Each of them that is a range or another version, file by file."""
    for source in service.of("json", "yaml"):
        asked = [one for one in _asked(source) if not one.version.startswith(ELSEWHERE)]
        wanted = max((_near(one.version) for one in asked), key=_numbers, default=USUAL)
        for one in asked:
            message = _message(one, asked)
            if message:
                quoted = source.kind == "json"
                yield Flaw(
                    message,
                    line=one.line,
                    column=one.column,
                    end_column=one.end_column,
                    instead=f'"{one.package}": "{wanted}"' if quoted else f"{_key(one.package)}: {wanted}",
                    path=source.path,
                )


def _message(one: _Asked, asked: Sequence[_Asked]) -> str:
    other = OTHER.fullmatch(one.version)
    if other and other["major"] != "6":
        return f"Prisma {other['major']} is asked for, and the policy and `doit prisma` are about Prisma 6."
    if not EXACT.fullmatch(one.version):
        return (
            f"`{one.version}` is no exact version of {one.package}: two machines will install two Prismas, and write"
            " two schemas from one database."
        )
    newer = [it for it in asked if EXACT.fullmatch(it.version) and _numbers(it.version) > _numbers(one.version)]
    if newer:
        return (
            f"{one.package} is {one.version} here and {newer[0].package} {newer[0].version}: a client that one of them"
            " makes fails with the other."
        )
    return ""


def _asked(source: Source) -> Iterator[_Asked]:
    name = source.path.rpartition("/")[2]
    if name == "package.json" and "prisma" in source.text:
        with suppress(Unreadable):  # PR01 tells
            yield from _in_package(source)
    elif name == "pnpm-workspace.yaml" and "prisma" in source.text:
        yield from _in_catalogs(source)


def _in_package(source: Source) -> Iterator[_Asked]:
    for one in texts(source.text):
        if len(one.path) > 1 and one.path[0] in GROUPS and PACKAGES.fullmatch(str(one.path[-1])):
            line, column = source.place(one.begin)
            yield _Asked(str(one.path[-1]), one.value.strip(), line, column, column + one.end - one.begin)


def _in_catalogs(source: Source) -> Iterator[_Asked]:
    for document in read(source.text).documents:
        for path, (line, column) in document.marks.items():
            if path[:1] in {("catalog",), ("catalogs",)} and PACKAGES.fullmatch(str(path[-1])):
                value = document.data
                for key in path:
                    value = value.get(key) if isinstance(value, dict) else None
                if isinstance(value, str):
                    yield _Asked(str(path[-1]), value, line, column, 0)


def _near(version: str) -> str:
    found = NEAR.fullmatch(version)
    return found["version"] if found else USUAL


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"[0-9]+", version)]


def _key(package: str) -> str:
    return f'"{package}"' if package.startswith("@") else package
