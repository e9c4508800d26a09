"""The structure of a PostgreSQL database, read from its catalogs alone: a role that may connect may read them.

Catalogs: PostgreSQL 16 documentation, chapter 53; definitions are those of the server's own ``pg_get_*`` functions.
Not read, as they are not the migrations' of a service: owners, tablespaces, publications, event triggers.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.structure import Object, Structure

if TYPE_CHECKING:
    import psycopg

__all__ = ["read", "seen"]

OBJECTS = Path(__file__).with_suffix(".sql")


def read(connection: psycopg.Connection[tuple[Any, ...]], without: Collection[str] = ()) -> Structure:
    """Every object of the users' schemas, in one snapshot that reads only.

    ``without`` are goose's version tables (``schema.table``, or a table of ``public``).
    """
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return seen(connection, without)


def seen(connection: psycopg.Connection[tuple[Any, ...]], without: Collection[str]) -> Structure:
    """The same in the transaction that is open."""
    qualified = [name if "." in name else f"public.{name}" for name in without]
    connection.execute("SET LOCAL search_path = pg_catalog")  # so that every name is qualified
    connection.execute("SET LOCAL jit = off")  # compiling so long a query takes longer than it
    rows = connection.execute(OBJECTS.read_bytes(), (qualified, qualified)).fetchall()
    return {Object(kind=kind, name=name): definition or "" for kind, name, definition in rows}
