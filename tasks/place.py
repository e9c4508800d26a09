"""Where a target's database physically is in the local environment, and what we know of it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from schemas.catalog import Catalog, Database, Reference
from schemas.errors import StreamError
from schemas.stream import Migration
from schemas.target import LOCAL, Target
from tasks.migrate.plan import Plan
from tasks.migrate.plan import plan as decide
from tasks.migrate.versions import Applied, File, compare, unfit
from tools import mark
from tools.engine import Baseline, Contents
from tools.journal import History, Journal

__all__ = [
    "applied",
    "baseline",
    "baseline_parts",
    "baseline_path",
    "begun_otherwise",
    "entry",
    "files",
    "folder",
    "half_done",
    "has_transaction",
    "history",
    "journal",
    "owned",
    "plan",
    "sharing",
    "streams",
    "substitutions",
]

LONGEST = 16 * 1024 * 1024  # bytes of a baseline
VARIABLE = re.compile(r"\$\{?([A-Za-z_]\w*)")


def entry(catalog: Catalog, target: Target) -> Database | Reference:
    """The database or reference that a leaf target names."""
    return catalog.entry(target.service or "", target.database or "")


def owned(catalog: Catalog, target: Target) -> Database:
    """The database that a leaf target names, or the one that its reference refers to."""
    found = entry(catalog, target)
    return catalog.owner(found) if isinstance(found, Reference) else found


def baseline(catalog: Catalog, database: Database) -> Baseline | None:
    """What the local database begins with, by whichever of its streams says so; StreamError where it cannot be read."""
    path = baseline_path(catalog, database)
    if not path:
        return None
    try:
        with (catalog.root / path).open("rb") as file:
            text = file.read(LONGEST + 1)
    except OSError as error:
        raise StreamError(
            f"{database.label}: its baseline cannot be read",
            where=path,
            why=error.strerror or "",
            todo="correct `baseline` in services.yaml, or write it: doit baseline:"
            f"{database.label}@{next(iter(database.url_env), 'ENVIRONMENT')}",
        ) from error
    if len(text) > LONGEST:
        raise StreamError(f"{database.label}: its baseline is longer than {LONGEST >> 20} MiB", where=path)
    return Baseline(path=path, text=text)


def baseline_path(catalog: Catalog, database: Database) -> str:
    """The file that the local database begins with, relative to the root; empty for none."""
    return next((one.baseline for one in sharing(catalog, database, LOCAL) if one.baseline), "")


def baseline_parts(catalog: Catalog, database: Database, digest: Callable[[Path], str]) -> dict[str, str]:
    """The baseline's part of a step's key, where there is one."""
    path = baseline_path(catalog, database)
    return {"baseline": digest(catalog.root / path)} if path else {}


def begun_otherwise(catalog: Catalog, database: Database, contents: Contents) -> str:
    """What says with which baseline a database of ours should have begun, where it has not; empty where it has."""
    if not contents.mark:
        return ""
    try:
        wanted = baseline(catalog, database)
    except StreamError as error:
        return error.where
    if mark.baseline(contents.mark) == (wanted.sha256 if wanted else ""):
        return ""
    return wanted.path if wanted else catalog.file.name


def sharing(catalog: Catalog, database: Database, environment: str) -> list[Database]:
    """Every stream that builds the same physical database there, this one first."""
    name = database.names.get(environment)
    others = [
        one
        for one in catalog.databases()
        if one != database and (one.engine, one.names.get(environment)) == (database.engine, name)
    ]
    return [database, *others]


def journal(catalog: Catalog) -> Journal:
    """The journal of the monorepo's local databases."""
    return Journal(catalog.root / ".state" / "journal.db")


def history(database: Database, contents: Contents) -> History:
    """Whose records belong to what was found: our mark tells one incarnation of a database from the next."""
    return History(place=contents.mark or f"unmarked {database.engine} {database.names[LOCAL]}", table=database.table)


def files(migrations: Iterable[Migration]) -> tuple[File, ...]:
    """A stream's files as the plan takes them."""
    return tuple(File(version=m.version, name=m.name, path=m.path, sha256=m.sha256) for m in migrations)


def applied(database: Database, contents: Contents, records: Journal) -> tuple[Applied, ...]:
    """What the database holds, each version with the name and hash that it was applied with, where we know them."""
    known = records.hashes(history(database, contents))
    rows = []
    for row in contents.tables.get(database.table, ()):
        name, sha256 = known.get(row.version, ("", ""))
        at = row.at.isoformat(timespec="seconds") if row.at else ""
        rows.append(Applied(version=row.version, at=at, name=name, sha256=sha256))
    return tuple(rows)


def plan(
    catalog: Catalog, database: Database, migrations: Iterable[Migration], contents: Contents, records: Journal
) -> Plan:
    """What migrating would do, by what the database holds and the journal knows."""
    known_tables = streams(catalog, database, LOCAL)
    on_disk = tuple(migrations)
    listed, held = files(on_disk), applied(database, contents, records)
    begun, undoing = half_done(database, contents, records), records.undoing(history(database, contents))
    known = None
    if unfit(compare(listed, held, begun, undoing)):
        from tasks.merged import merged  # noqa: PLC0415 - start-up: git is asked only where something does not fit

        known = merged(catalog, database, on_disk)
    return decide(
        listed,
        held,
        label=database.label,
        folder=database.migrations,
        table=database.table,
        other_tables={name: len(rows) for name, rows in contents.tables.items() if name not in known_tables},
        begun=begun,
        undoing=undoing,
        merged=known,
        baseline=begun_otherwise(catalog, database, contents) if any(contents.tables.values()) else "",
    )


def streams(catalog: Catalog, database: Database, environment: str) -> frozenset[str]:
    """The version tables of every stream that builds the physical database which this one builds there."""
    return frozenset(one.table.removeprefix("public.") for one in sharing(catalog, database, environment))


def half_done(database: Database, contents: Contents, records: Journal) -> dict[int, str]:
    """The file that an interrupted run may have left half done, by version: the first one that it did not finish.

    goose runs files in order, and only one without a transaction leaves traces; on ClickHouse none has one.
    """
    held = {row.version for row in contents.tables.get(database.table, ())}
    begun = records.begun(history(database, contents))
    first = min(begun.keys() - held, default=None)
    if first is None or has_transaction(database, begun[first].record.body):
        return {}
    return {first: begun[first].record.name}


def has_transaction(database: Database, text: bytes) -> bool:
    """Whether goose runs the file in one transaction; True where it cannot read it, as nothing of it runs then."""
    if database.engine == "clickhouse":
        return False
    from schemas.goose_file import GooseSyntax, parse  # noqa: PLC0415 - start-up: a look at finished targets needs none

    try:
        return parse(text, os.environ).transaction
    except GooseSyntax:
        return True


def substitutions(migrations: Iterable[Migration]) -> dict[str, str]:
    """The variables of our environment that files with ENVSUB name: all that goose gets to see beside the usual few."""
    named = {
        name
        for migration in migrations
        if b"ENVSUB" in migration.data.upper()
        for name in VARIABLE.findall(migration.data.decode(errors="replace"))
    }
    return {name: os.environ[name] for name in sorted(named) if name in os.environ}


def folder(catalog: Catalog, database: Database) -> Path:
    """The stream's folder on disk."""
    return catalog.root / database.migrations
