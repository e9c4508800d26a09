"""What the databases of a PostgreSQL server hold of goose's, and which indexes they have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas.errors import ServerError
from tools import mark
from tools.engine import Contents, Index, Row
from tools.postgres.connection import Address

if TYPE_CHECKING:
    import psycopg

__all__ = [
    "LIMITS",
    "Histories",
    "histories",
    "indexes",
    "look",
    "marks",
    "unbuilt",
    "unvalidated",
    "version_tables",
]

LIMITS = {
    "default_transaction_read_only": "on",
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "row_security": "off",  # a policy does not hide versions: who may not see all of them is told so
}
THREADS = 4

DATABASES = """
SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database WHERE NOT datistemplate AND datallowconn
"""
VERSION_TABLES = """
SELECT n.nspname, c.relname, has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND a.attnum > 0 AND NOT a.attisdropped AND a.attname IN ('id', 'version_id', 'is_applied', 'tstamp')
  AND (a.attname <> 'is_applied' OR a.atttypid = 'bool'::regtype)
GROUP BY 1, 2, 3 HAVING count(*) = 4 ORDER BY 1, 2
"""
# goose 3.27.3 lists by id, descending, and the first row of a version decides; tstamp is the server's local time
APPLIED = """
SELECT version_id, CASE WHEN isfinite(tstamp) THEN tstamp::timestamptz END
FROM (SELECT DISTINCT ON (version_id) version_id, is_applied, tstamp FROM {} ORDER BY version_id, id DESC) newest
WHERE is_applied AND version_id <> 0 ORDER BY version_id
"""
# the index of a partitioned table stays invalid until every partition has one: nothing was interrupted there
INDEXES = """
SELECT i.relname, quote_ident(n.nspname) || '.' || quote_ident(i.relname),
       CASE WHEN t.nspname = 'public' THEN '' ELSE t.nspname || '.' END || c.relname,
       i.relkind = 'I' OR x.indisvalid AND x.indisready AND x.indislive
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = i.relnamespace
  JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace t ON t.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conindid = x.indexrelid AND o.contype IN ('p', 'u', 'x'))
  AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p
                  WHERE p.index_relid = x.indexrelid AND p.datname = current_database())
ORDER BY 2
"""
# what is being built need not come to a good end; a new copy of a good index is not waited for
UNBUILT = """
SELECT i.relkind = 'I', i.relname, CASE WHEN t.nspname = 'public' THEN '' ELSE t.nspname || '.' END || c.relname,
       CASE WHEN i.relkind = 'I' THEN 'a partition has no index attached to it'
            WHEN p.command IS NOT NULL THEN 'it is being built' ELSE 'it is invalid' END
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
  JOIN pg_namespace t ON t.oid = c.relnamespace
  LEFT JOIN pg_stat_progress_create_index p ON p.index_relid = x.indexrelid AND p.datname = current_database()
WHERE NOT (x.indisvalid AND x.indisready AND x.indislive) AND coalesce(p.command, '') NOT LIKE 'REINDEX%'
  AND c.relkind IN ('r', 'p', 'm') AND t.nspname !~ '^pg_' AND t.nspname <> 'information_schema'
ORDER BY 3, 2
"""


# of checks and foreign keys alone: nothing else can be NOT VALID
UNVALIDATED = """
SELECT o.conname, CASE WHEN n.nspname = 'public' THEN '' ELSE n.nspname || '.' END || c.relname
FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT o.convalidated AND o.contype IN ('c', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY 2, 1
"""


class Histories(NamedTuple):
    """What a database's tables of goose's shape hold, by name (schema.name outside public)."""

    tables: Mapping[str, tuple[Row, ...]]
    closed: tuple[str, ...]  # those that the role may not read


def marks(connection: psycopg.Connection[tuple[Any, ...]]) -> dict[str, str | None]:
    """Every database that takes connections, with our creation mark."""
    rows = connection.execute(DATABASES).fetchall()
    return {name: mark.ours(comment) for name, comment in rows}


def look(address: Address, databases: Iterable[str], known: Mapping[str, str | None]) -> dict[str, Contents]:
    """The contents of these databases, missing ones too; ``known`` are those that there are, with their marks."""
    names = list(dict.fromkeys(databases))
    found = {name: Contents(exists=False, tables={}) for name in names if name not in known}
    there = [name for name in names if name in known]
    if len(there) == 1:
        return {**found, there[0]: _one(address, there[0], known[there[0]])}
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - start-up: only for several databases

    with ThreadPoolExecutor(THREADS) as pool:
        looks = pool.map(lambda name: _one(address, name, known[name]), there)
        return {**found, **dict(zip(there, looks, strict=True))}


def version_tables(connection: psycopg.Connection[tuple[Any, ...]]) -> list[tuple[str, str]]:
    """Schema and name of every table that has the shape of goose's version table."""
    return [(schema, name) for schema, name, _ in connection.execute(VERSION_TABLES).fetchall()]


def indexes(address: Address, database: str) -> tuple[Index, ...]:
    """Every index that no constraint owns, but none that somebody is building right now."""
    with address.connect(database, **LIMITS) as connection:
        rows = connection.execute(INDEXES).fetchall()
    return tuple(
        Index(name=name, qualified=qualified, table=table, valid=valid) for name, qualified, table, valid in rows
    )


def unbuilt(connection: psycopg.Connection[tuple[Any, ...]]) -> list[tuple[bool, str, str, str]]:
    """Every index that is not whole: whether its table is partitioned, its name, its table, and how it stands."""
    return [(parted, name, table, says) for parted, name, table, says in connection.execute(UNBUILT).fetchall()]


def unvalidated(connection: psycopg.Connection[tuple[Any, ...]]) -> list[tuple[str, str]]:
    """Name and table of every constraint that is NOT VALID."""
    return [(name, table) for name, table in connection.execute(UNVALIDATED).fetchall()]


def histories(connection: psycopg.Connection[tuple[Any, ...]]) -> Histories:
    """What goose's tables hold, as far as the connection's role may read them."""
    from psycopg.sql import SQL, Identifier  # noqa: PLC0415 - start-up: as psycopg itself

    tables, closed = {}, []
    for schema, name, readable in connection.execute(VERSION_TABLES).fetchall():
        called = name if schema == "public" else f"{schema}.{name}"
        if not readable:
            closed.append(called)
            continue
        rows = connection.execute(SQL(APPLIED).format(Identifier(schema, name))).fetchall()
        tables[called] = tuple(Row(version=version, at=at.astimezone(UTC) if at else None) for version, at in rows)
    return Histories(tables=tables, closed=tuple(closed))


def _one(address: Address, database: str, known: str | None) -> Contents:
    with address.connect(database, **LIMITS) as connection:
        found = histories(connection)
    if found.closed:
        what = f"the role of the URL may not read {found.closed[0]} in {database}"
        raise ServerError(what, why=f"permission denied for table {found.closed[0]}", todo=address.todo)
    return Contents(exists=True, mark=known, tables=found.tables)
