"""The structure of a ClickHouse database: create statements in the server's own format (system.tables, formatQuery)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from schemas.structure import Object, Structure
from tools.clickhouse.connection import Address, array, string

__all__ = ["FUNCTIONS", "TABLES", "canonical", "found", "read"]

# the table inside a materialized view bears the view's id, and the view's own statement tells it
TABLES = """
SELECT {number}, engine, database || '.' || name, create_table_query FROM {tables}
WHERE database = {database} AND NOT is_temporary AND name NOT LIKE '.inner%' AND name NOT IN {without}
"""
FUNCTIONS = "SELECT {number}, 'function', name, create_query FROM {functions} WHERE origin = 'SQLUserDefined'"
KINDS = {"View": "view", "MaterializedView": "materialized view", "Dictionary": "dictionary", "function": "function"}
FORMATTED = "SELECT arrayMap(one -> formatQuery(one), {texts})"
BLOCK = "-- +goose Up\n-- +goose StatementBegin\n{}\n-- +goose StatementEnd\n"


def read(address: Address, database: str, without: Collection[str] = ()) -> Structure:
    """Every table, view and dictionary of the database, and the server's SQL functions; ``without`` are left out."""
    held = array(["", *without])
    rows = address.query(TABLES.format(number=0, tables="system.tables", database=string(database), without=held))
    rows += address.query(FUNCTIONS.format(number=0, functions="system.functions"))
    return _formatted(found(row[1:] for row in rows), address)


def found(rows: Iterable[Iterable[str]]) -> Structure:
    """The objects of rows of engine, name and statement."""
    return {Object(kind=KINDS.get(engine, "table"), name=name): text for engine, name, text in rows}


def canonical(structure: Structure, address: Address) -> Structure:
    """The statements of a server in a cluster, without the cluster and in this server's format.

    Raises Refused for a statement that cannot be had without its cluster.
    """
    from schemas.goose_file import parse  # noqa: PLC0415 - start-up: only a comparison reads it
    from tools.clickhouse.localize import localize  # noqa: PLC0415 - the same

    files = {str(one): BLOCK.format(text).encode() for one, text in structure.items()}
    texts = localize(files, address.query).texts
    return _formatted({one: parse(texts[str(one)], {}).up[0].text for one in structure}, address)


def _formatted(structure: Structure, address: Address) -> Structure:
    if not structure:
        return {}
    ((texts,),) = address.query(FORMATTED.format(texts=array(structure.values())))
    return dict(zip(structure, texts, strict=True))
