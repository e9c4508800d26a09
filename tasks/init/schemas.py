"""The Prisma schemas of a monorepo, and which database each belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tasks.init.engines import DRIVERS
from tasks.init.layout import Place, marked, place
from tasks.init.survey import Survey
from tasks.prisma.schema import provider, variable

__all__ = ["Schema", "assigned", "schemas"]

URL = re.compile(r"_?(?:DATABASE|DB|POSTGRES|PG)?_?(?:URL|DSN|URI)$")


class Schema(NamedTuple):
    """A Prisma schema with a datasource."""

    path: str
    place: Place
    provider: str  # postgres, or what Prisma calls another
    words: frozenset[str]  # what its folder and its variable are called after
    migrations: int  # folders of Prisma's own migrations beside it


def schemas(survey: Survey) -> tuple[Schema, ...]:
    """Every schema that says where its database is, in the order of their paths."""
    found = []
    projects = marked(survey.paths)
    own: dict[str, int] = {}
    for path in survey.paths:
        if path.endswith("/migration.sql"):
            folder = path.rsplit("/", 2)[0]
            own[folder] = own.get(folder, 0) + 1
    for path, text in sorted(survey.texts.items()):
        kind = provider(text) if path.endswith(".prisma") else None
        if kind:
            folder = path.rpartition("/")[0]
            there = place(folder, projects)
            called = URL.sub("", variable(text) or "").lower()
            found.append(
                Schema(
                    path=path,
                    place=there,
                    provider=DRIVERS.get(kind, kind),
                    words=frozenset({*there.words, called, called.replace("_", "-")} - {""}),
                    migrations=own.get(f"{folder}/migrations", 0),
                )
            )
    return tuple(found)


def assigned(
    found: Iterable[Schema], entries: Sequence[tuple[str, str, str]]
) -> tuple[dict[tuple[str, str], Schema], tuple[Schema, ...]]:
    """Each database's schema, and the schemas of none; entries are service's folder, key and engine."""
    given: dict[tuple[str, str], Schema] = {}
    left = []
    for schema in found:
        mine = [
            (folder, key) for folder, key, engine in entries if (folder, engine) == (schema.place.folder, "postgres")
        ]
        called = [one for one in mine if one[1] in schema.place.words] or [
            one for one in mine if one[1] in schema.words
        ]
        fitting = called or (mine if len(mine) == 1 and not schema.place.words else [])
        if schema.provider == "postgres" and fitting and fitting[0] not in given:
            given[fitting[0]] = schema
        else:
            left.append(schema)
    return given, tuple(left)
