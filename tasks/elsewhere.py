"""Databases of other environments: reached through the variable that holds their URL, and only read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from schemas.catalog import Catalog, Database
from schemas.errors import ServerError
from schemas.goose_file import GooseSyntax
from schemas.stream import Migration
from tasks.place import streams
from tools import remote
from tools.remote import Place, Reader, Sight

__all__ = ["applied", "each", "place", "unset"]

AT_ONCE = 8  # databases that are looked at together

Found = TypeVar("Found")


def place(catalog: Catalog, database: Database, environment: str, migrations: Iterable[Migration]) -> Place:
    """Where a database is in that environment; the URL is empty where its variable is not set."""
    variable = database.url_env[environment]
    return Place(
        label=database.label,
        environment=environment,
        engine=database.engine,
        name=database.names[environment],
        table=database.table.removeprefix("public."),
        streams=streams(catalog, database, environment),
        variable=variable,
        url=os.environ.get(variable, "").strip(),
        clusters=_clusters(migrations) if database.engine == "clickhouse" else frozenset(),
    )


def unset(places: Iterable[Place]) -> ServerError | None:
    """One error for every variable that is missing, and how to set each; None when none is."""
    missing = {one.variable: one for one in places if not one.url}
    if not missing:
        return None
    listed = [f"{one.variable} leads to the database {one.name} of {one.called}" for one in missing.values()]
    what = "a variable is not set" if len(missing) == 1 else f"{len(missing)} variables are not set"
    return ServerError(
        f"{what}, so nobody knows how to reach {_listed([one.called for one in missing.values()])}",
        why="\n".join(listed),
        todo="\n".join(one.export for one in missing.values()),
    )


def each(places: Sequence[Place], look: Callable[[Reader], Found]) -> list[Found | ServerError]:
    """What ``look`` makes of each open database, or why that one could not be looked at; several at once."""

    def one(place: Place) -> Found | ServerError:
        if not place.url:
            return ServerError(f"{place.variable} is not set", todo=place.export)
        try:
            with remote.connect(place) as reader:
                return look(reader)
        except ServerError as error:
            return error

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, places))


def applied(files: Iterable[Migration], sight: Sight, table: str) -> list[Migration]:
    """The files whose versions any server holds as applied."""
    held = {row.version for one in sight.replicas for row in one.tables.get(table.removeprefix("public."), ())}
    return [file for file in files if file.version in held]


def _clusters(migrations: Iterable[Migration]) -> frozenset[str]:
    """The clusters that the files name; a file that cannot be read is reported as a problem of its own."""
    from tools.clickhouse.clusters import named  # noqa: PLC0415 - start-up: only for ClickHouse

    found: set[str] = set()
    for migration in migrations:
        with suppress(GooseSyntax):
            found |= named(migration.data, os.environ)
    return frozenset(found)


def _listed(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
