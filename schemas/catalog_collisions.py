"""Which parts of a catalog would get into each other's way: one folder, Job, variable or database for two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from schemas.catalog import Catalog, Database
from schemas.errors import Mistake
from schemas.target import LOCAL
from schemas.yaml_positions import Document, Path

__all__ = ["mistakes"]


def mistakes(document: Document, data: Mapping[str, Any], catalog: Catalog) -> Iterator[Mistake]:
    """Find every collision; each is reported where the second one stands and names the line of the first."""
    databases = list(catalog.databases())
    entries = [entry for service in catalog.services.values() for entry in service.databases]
    yield from _shared(
        document,
        ((service.folder, f"`{name}`", ("services", name, "folder")) for name, service in catalog.services.items()),
        "is the folder of",
    )
    for field, what in (
        ("migrations", "is the migrations folder of"),
        ("prisma", "is the Prisma schema of"),
        ("job", "is the Job of"),
    ):
        users = ((getattr(entry, field, None), f"`{entry.label}`", (*_path(entry), field)) for entry in entries)
        yield from _shared(document, users, what)
    yield from _variables(document, databases)
    yield from _streams(document, data, databases)
    yield from _baselines(document, databases)


def _shared(document: Document, users: Iterable[tuple[str | None, str, Path]], what: str) -> Iterator[Mistake]:
    first: dict[str, tuple[str, Path]] = {}
    for value, label, path in users:
        if value is None:
            continue
        if value in first:
            other, place = first[value]
            message = f"`{value}` {what} both {other} (line {document.at_value(place)[0]}) and {label}"
            yield document.mistake(document.at_value(path), message)
        else:
            first[value] = label, path


def _variables(document: Document, databases: list[Database]) -> Iterator[Mistake]:
    """One variable holds one URL, and so leads to one database of one environment."""
    first: dict[str, tuple[Database, str]] = {}
    for database in databases:
        for environment, variable in database.url_env.items():
            other, earlier = first.setdefault(variable, (database, environment))
            if (other, earlier) == (database, environment):
                continue
            name, known = database.names.get(environment), other.names.get(earlier)
            same = name == known and database.engine == other.engine
            if same and environment == earlier:
                continue
            path = (*_path(database), "url_env", environment)
            before = f"`{other.label}` in {earlier} (line {document.at_value((*_path(other), 'url_env', earlier))[0]})"
            if same:
                message = (
                    f"`{earlier}` and `{environment}` would be one: `{variable}` leads to `{name}` of {before} too"
                )
            else:
                message = (
                    f"`{variable}` leads to {before} already; it cannot lead to `{database.label}` in {environment}"
                )
            yield document.mistake(document.at_value(path), message)


def _streams(document: Document, data: Mapping[str, Any], databases: list[Database]) -> Iterator[Mistake]:
    """Two streams with one version table skip each other's equal versions without a word.

    Outside local two databases of one name may lie on two servers; that is believed only where a ``url_env``
    of theirs says so. The local environment has one server per engine.
    """
    built: dict[tuple[str, str, str, str], list[Database]] = {}
    meetings: dict[tuple[str, str], tuple[Database, Database, list[str]]] = {}
    for database in databases:
        for environment, name in database.names.items():
            place = (database.engine, environment, name, database.table.removeprefix("public."))
            for other in built.setdefault(place, []):
                if not _apart(data, other, database, environment):
                    pair = other.label, database.label
                    meetings.setdefault(pair, (other, database, []))[2].append(environment)
                    break
            built[place].append(database)
    for other, database, environments in meetings.values():
        at = environments[0]
        first, second = _name(document, other, at), _name(document, database, at)
        message = (
            f"`{other.label}` (line {first[0]}) and `{database.label}` would both build `{database.names[at]}` "
            f"in {', '.join(environments)} with the version table `{database.table}` and skip each other's versions"
        )
        hint = f"refer to it by `owner: {other.label}`, or give one of them another name or table"
        yield document.mistake(second, message, hint)


def _baselines(document: Document, databases: list[Database]) -> Iterator[Mistake]:
    """A baseline is no migration, and a local database begins with one of them."""
    first: dict[tuple[str, str], Database] = {}
    for database in databases:
        if not database.baseline:
            continue
        path = (*_path(database), "baseline")
        mark = document.at_value(path)
        for other in databases:
            if database.baseline.startswith(f"{other.migrations}/"):
                message = (
                    f"`{database.baseline}` lies among the migrations of `{other.label}`, where goose takes it for one"
                )
                yield document.mistake(mark, message, "keep it outside that folder")
        known = first.setdefault((database.engine, database.names[LOCAL]), database)
        if known is not database:
            line, name = document.at_value((*_path(known), "baseline"))[0], database.names[LOCAL]
            message = f"`{known.label}` (line {line}) and `{database.label}` build one local database, `{name}`"
            yield document.mistake(mark, message, "it begins with one baseline: leave out the other")


def _apart(data: Mapping[str, Any], one: Database, two: Database, environment: str) -> bool:
    if environment == LOCAL or one.url_env[environment] == two.url_env[environment]:
        return False
    entries = [data["services"][database.service]["databases"][database.key] for database in (one, two)]
    return any(environment in (entry.get("url_env") or {}) for entry in entries)


def _name(document: Document, database: Database, environment: str) -> tuple[int, int]:
    path = (*_path(database), "name")
    return document.at_value((*path, environment) if (*path, environment) in document.values else path)


def _path(entry: Any) -> Path:
    return ("services", entry.service, "databases", entry.key)
