"""Which rows a PostgreSQL database holds, and what statements would take away: tried, never committed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.errors import ServerError
from tools.engine import Losses
from tools.postgres.connection import Address
from tools.postgres.contents import version_tables
from tools.shell import redact

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]

__all__ = ["Table", "compare", "rows", "try_down"]

# without row_security a policy does not hide rows: who may not see all of them is told so
LIMITS = {"statement_timeout": "120s", "lock_timeout": "10s", "row_security": "off"}

TABLES = """
SELECT c.oid, n.nspname, c.relname, c.relkind = 'p',
       coalesce((SELECT array_agg(a.attnum::int ORDER BY a.attnum) FROM pg_attribute a
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '{}'),
       coalesce((SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '{}')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 2, 3
"""

# a deferred constraint that is already broken: should a statement manage to commit, the server rolls back instead
NO_COMMIT = """
CREATE TEMP TABLE gander_no_commit (n int UNIQUE DEFERRABLE INITIALLY DEFERRED);
INSERT INTO gander_no_commit VALUES (1), (1)
"""
# what would end our transaction, after the comments that may stand before it
ENDS = re.compile(
    r"(?:\s+|--[^\n]*(?:\n|$)|/\*.*?\*/)*(?:BEGIN|START|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|PREPARE\s+TRANSACTION)\b",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What one table holds: its rows, and for each column (by number, which a rename keeps) its name and values."""

    name: str
    rows: int
    columns: Mapping[int, tuple[str, int]]


def rows(address: Address, database: str) -> dict[str, int]:
    """Exact row counts of the user's tables that hold any row; version tables and tables of extensions left out."""
    with address.connect(database, default_transaction_read_only="on", **LIMITS) as connection:
        found = _measure(connection, columns=False, ignored=version_tables(connection))
        return {table.name: table.rows for table in found.values() if table.rows}


def try_down(address: Address, database: str, statements: Iterable[str]) -> Losses:
    """Run the statements one by one, compare before and after, roll back; what cannot be tried is reported as such.

    A version table counts as any other here: no statement of a file may touch it.
    """
    import psycopg  # noqa: PLC0415 - start-up: 0.1 s that only a run with a server needs

    with address.connect(database, **LIMITS) as connection:
        try:
            connection.execute("BEGIN")
            before = _measure(connection, columns=True)
            connection.execute(NO_COMMIT)
            untried = [problem for statement in statements if (problem := _attempt(connection, statement))]
            if connection.info.transaction_status != psycopg.pq.TransactionStatus.INTRANS:
                raise ServerError(
                    f"a statement ended the transaction in which {database} was tried", todo="doit status"
                )
            after = _measure(connection, columns=True)
        finally:
            connection.rollback()
    tables, columns = compare(before, after)
    return Losses(tables=tables, columns=columns, untried=tuple(untried))


def compare(before: Mapping[int, Table], after: Mapping[int, Table]) -> tuple[dict[str, int], tuple[str, ...]]:
    """Tables with the rows they lose, and columns that lose their values.

    Both are compared by PostgreSQL's own numbers, so that a rename loses nothing.
    """
    tables: dict[str, int] = {}
    columns: list[str] = []
    for identity, old in before.items():
        new = after.get(identity)
        if new is None or new.rows < old.rows:
            tables[old.name] = old.rows - (new.rows if new else 0)
        if new is None:
            continue
        for number, (name, values) in old.columns.items():
            left = new.columns[number][1] if number in new.columns else 0
            if left < values and (number not in new.columns or new.rows >= old.rows):
                columns.append(f"{old.name}.{name}")
    return {name: count for name, count in tables.items() if count}, tuple(columns)


def _attempt(connection: Connection, statement: str) -> str:
    """Run one statement inside a savepoint; why it could not be tried, in one line, else nothing."""
    import psycopg  # noqa: PLC0415 - start-up: as above

    shown = " ".join(statement.split())[:60]
    if ENDS.match(statement):
        return f"{shown}: it controls transactions"
    done, failed = psycopg.pq.ExecStatus.COMMAND_OK, psycopg.pq.ExecStatus.FATAL_ERROR
    connection.execute("SAVEPOINT gander_trial")
    # the extended protocol takes one statement only: none can hide a COMMIT behind another
    result = connection.pgconn.exec_params(statement.encode(), None)
    if result.status == failed:
        connection.execute("ROLLBACK TO SAVEPOINT gander_trial")
        message = (result.error_field(psycopg.pq.DiagnosticField.MESSAGE_PRIMARY) or b"").decode(errors="replace")
        return redact(f"{shown}: {message}")
    if result.status not in {done, psycopg.pq.ExecStatus.TUPLES_OK, psycopg.pq.ExecStatus.EMPTY_QUERY}:
        raise ServerError(f"a statement cannot be tried: {shown}", todo="doit status")
    return ""


def _measure(connection: Connection, *, columns: bool, ignored: Collection[tuple[str, str]] = ()) -> dict[int, Table]:
    """Count the rows, and the values of each column, of every table of the user's."""
    from psycopg.sql import SQL, Identifier  # noqa: PLC0415 - start-up: as psycopg itself

    found = {}
    for identity, schema, name, partitioned, numbers, names in connection.execute(TABLES).fetchall():
        if (schema, name) in ignored:
            continue
        # a partitioned table's rows are its partitions'; one that others inherit from counts its own
        place = SQL("{}" if partitioned else "ONLY {}").format(Identifier(schema, name))
        counted = [SQL("count({})").format(Identifier(column)) for column in names] if columns else []
        wanted = SQL(", ").join([SQL("count(*)"), *counted])
        filled = connection.execute(SQL("SELECT EXISTS (SELECT FROM {})").format(place)).fetchone()
        count, *values = [0] * (1 + len(counted))
        if filled and filled[0]:
            count, *values = connection.execute(SQL("SELECT {} FROM {}").format(wanted, place)).fetchone() or (0,)
        held = {number: (column, value) for number, column, value in zip(numbers, names, values, strict=False)}
        found[identity] = Table(name=name if schema == "public" else f"{schema}.{name}", rows=count, columns=held)
    return found
