"""What the databases of a ClickHouse server hold of goose's, and how many rows of the user's."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from tools import mark
from tools.clickhouse.connection import Address, array, identifier, string
from tools.engine import Contents, Row

__all__ = ["finish_version_table", "look", "marks", "rows"]

DATABASES = "SELECT name, comment FROM system.databases WHERE lower(name) NOT IN ('system', 'information_schema')"
VERSION_TABLES = """
SELECT database, table FROM system.columns
WHERE database IN {databases} AND name IN ('version_id', 'is_applied', 'tstamp')
  AND (name <> 'version_id' OR type = 'Int64')
  AND (database, table) NOT IN (SELECT database, name FROM system.tables WHERE engine LIKE '%View')
GROUP BY 1, 2 HAVING count() = 3 ORDER BY 1, 2
"""
# goose 3.27.3 deletes the row of a version that it undoes, older ones add a row that is not applied; a second is all
# that tstamp can tell apart
APPLIED = """
SELECT {number} AS number, version_id, toUnixTimestamp(max(tstamp)) FROM {table}
GROUP BY version_id HAVING argMax(is_applied, (tstamp, is_applied)) AND version_id <> 0
"""
# what a Distributed or Buffer table holds on its way is counted where it goes; the table inside a materialized view
# bears the view's id, and it is the view that the user knows
HOLDING = """
SELECT t.name, if(v.name <> '', v.name, t.name), coalesce(t.total_rows, 0) FROM system.tables AS t
LEFT JOIN (SELECT name, '.inner_id.' || toString(uuid) AS inner FROM system.tables WHERE database = {database}) AS v
  ON v.inner = t.name
WHERE t.database = {database} AND t.has_own_data AND NOT t.is_temporary
  AND t.engine NOT LIKE '%View' AND t.engine NOT IN ('Distributed', 'Buffer', 'Set')
ORDER BY t.name
"""
COUNT = "SELECT {shown}, greatest(count(), {known}) FROM {table}"
# a row policy hides rows from a count, but not from what the table knows of itself; one for all tables names none
POLICIES = "SELECT DISTINCT table FROM system.row_policies WHERE database = {database}"
COUNT_ALL = "SELECT count() FROM {table}"
FIRST = "INSERT INTO {table} (version_id, is_applied) VALUES (0, 1)"


def marks(address: Address) -> dict[str, str | None]:
    """Every database of users, with our creation mark."""
    return {name: mark.ours(comment) for name, comment in address.query(DATABASES)}


def look(address: Address, databases: Iterable[str] | None = None) -> dict[str, Contents]:
    """The contents of these databases, missing ones too; without names, of every database there is."""
    known = marks(address)
    names = list(known) if databases is None else list(dict.fromkeys(databases))
    tables = _version_tables(address, [name for name in names if name in known])
    found: list[list[Row]] = [[] for _ in tables]
    if tables:
        parts = [
            APPLIED.format(number=number, table=f"{identifier(database)}.{identifier(table)}")
            for number, (database, table) in enumerate(tables)
        ]
        for number, version, at in address.query(" UNION ALL ".join(parts)):
            found[number].append(Row(version=version, at=datetime.fromtimestamp(at, UTC)))
    held: dict[str, dict[str, tuple[Row, ...]]] = {name: {} for name in names}
    for (database, table), applied in zip(tables, found, strict=True):
        held[database][table] = tuple(sorted(applied, key=lambda row: row.version))
    return {name: Contents(exists=name in known, mark=known.get(name), tables=held[name]) for name in names}


def finish_version_table(address: Address, database: str, table: str) -> bool:
    """Insert the row of version 0 into a version table that holds none at all; whether that was needed.

    goose 3.27.3 makes the table and then that row, and says `no next version found` of a table without any.
    """
    if (database, table) not in _version_tables(address, [database]):
        return False
    name = f"{identifier(database)}.{identifier(table)}"
    ((count,),) = address.query(COUNT_ALL.format(table=name))
    if count:
        return False
    address.query(FIRST.format(table=name))
    return True


def rows(address: Address, database: str) -> dict[str, int]:
    """Exact row counts of the user's tables that hold any row, by name."""
    ours = {table for _, table in _version_tables(address, [database])}
    holding = [pair for pair in address.query(HOLDING.format(database=string(database))) if pair[0] not in ours]
    if not holding:
        return {}
    asked = address.ask(POLICIES.format(database=string(database)))
    hiding = {""} if asked.code else {table for (table,) in asked.rows}  # who may not ask cannot rule one out
    counts = [
        COUNT.format(
            shown=string(shown),
            known=known if {"", name} & hiding else 0,
            table=f"{identifier(database)}.{identifier(name)}",
        )
        for name, shown, known in holding
    ]
    return {name: count for name, count in sorted(address.query(" UNION ALL ".join(counts))) if count}


def _version_tables(address: Address, databases: list[str]) -> list[tuple[str, str]]:
    """Database and name of every table that has the shape of goose's version table."""
    if not databases:
        return []
    found = address.query(VERSION_TABLES.format(databases=array(databases)))
    return [(database, table) for database, table in found]
