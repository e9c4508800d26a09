"""The structure of a ClickHouse database: create statements in the server's own format (system.tables, formatQuery)."""

from __future__ import annotations

from collections.abc import Collection

from schemas.structure import Object, Structure
from tools.clickhouse.connection import Address, array, string

__all__ = ["read"]

# the table inside a materialized view bears the view's id, and the view's own statement tells it
TABLES = """
SELECT engine, database || '.' || name, formatQuery(create_table_query) FROM system.tables
WHERE database = {database} AND NOT is_temporary AND name NOT LIKE '.inner%' AND name NOT IN {without}
"""
FUNCTIONS = "SELECT name, formatQuery(create_query) FROM system.functions WHERE origin = 'SQLUserDefined'"
KINDS = {"View": "view", "MaterializedView": "materialized view", "Dictionary": "dictionary"}


def read(address: Address, database: str, without: Collection[str] = ()) -> Structure:
    """Every table, view and dictionary of the database, and the server's SQL functions; ``without`` are left out."""
    tables = address.query(TABLES.format(database=string(database), without=array(["", *without])))
    found = {Object(kind=KINDS.get(engine, "table"), name=name): text for engine, name, text in tables}
    return found | {Object(kind="function", name=name): text for name, text in address.query(FUNCTIONS)}
