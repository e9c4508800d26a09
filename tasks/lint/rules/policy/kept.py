"""The ClickHouse tables that a stream ends with, as far as it matters how long they keep rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tasks.lint.file import File
from tasks.lint.rules.policy.expiry import settings
from tasks.lint.schema.clickhouse import changes
from tasks.lint.sql import Sql
from tasks.lint.stream import Stream

__all__ = ["Kept", "Place", "kept"]

Node = Mapping[str, Any]
Place = tuple[str, int, int]  # path, line, column
WHOLE_PARTS = "ttl_only_drop_parts"


@dataclass(slots=True, kw_only=True)
class Kept:
    """A table that holds rows: where its TTL, or it itself, was last written, and what it says."""

    name: str
    place: Place
    partition: Node | None = None
    ttl: tuple[Node, ...] = ()
    whole_parts: bool = False  # rows go only with their whole part
    columns: dict[str, Node] = field(default_factory=dict)  # declarations
    places: dict[str, Place] = field(default_factory=dict)  # of columns


def kept(stream: Stream) -> Iterator[Kept]:
    """Every table of the MergeTree family, those inside materialized views too, after the last Up."""
    tables: dict[str, Kept] = {}
    local = stream.database.names.get("local", "default")
    for file in stream.files:
        for sql in file.up:
            for tree in sql.trees:
                fields = tree.fields
                name = f"{fields.get('database') or local}.{fields.get('table', '')}"
                if tree.kind == "CreateQuery" and fields.get("table"):
                    _create(tables, name, file, sql, fields, local)
                elif tree.kind == "AlterQuery" and name in tables:
                    for one in (fields.get("command_list") or {}).get("children", ()):
                        _alter(tables[name], file, sql, one)
                else:
                    for change in changes(tree, local):
                        gone = tables.pop(change.name, None) if change.kind == "table" else None
                        if gone and change.verb == "rename":
                            gone.name = change.to
                            tables[change.to] = gone
    yield from tables.values()


def _create(  # noqa: PLR0917 - one statement in one place
    tables: dict[str, Kept], name: str, file: File, sql: Sql, fields: Node, local: str
) -> None:
    targets = (fields.get("targets") or {}).get("targets", ())
    storage: Node = fields.get("storage") or next((one["inner_engine"] for one in targets if "inner_engine" in one), {})
    if name in tables and fields.get("if_not_exists"):
        return
    tables.pop(name, None)
    copied = tables.get(f"{fields.get('as_database') or local}.{fields.get('as_table')}")
    if not storage and copied:  # without an engine it is as the other one is
        tables[name] = Kept(
            name=name,
            place=_place(file, sql, str(fields["table"])),
            partition=copied.partition,
            ttl=copied.ttl,
            whole_parts=copied.whole_parts,
            columns=dict(copied.columns),
        )
        return
    if not str((storage.get("engine") or {}).get("name", "")).endswith("MergeTree"):
        return
    ttl = tuple((storage.get("ttl_table") or {}).get("children", ()))
    made = Kept(
        name=name,
        place=_ttl(file, sql) if ttl else _place(file, sql, str(fields["table"])),
        partition=storage.get("partition_by"),
        ttl=ttl,
        columns=dict(copied.columns) if copied else {},
    )
    for one in ((fields.get("columns_list") or {}).get("columns") or {}).get("children", ()):
        _column(made, file, sql, one)
    made.whole_parts = any(key == WHOLE_PARTS and bool(value) for key, value in settings(storage.get("settings")))
    tables[name] = made


def _alter(table: Kept, file: File, sql: Sql, node: Node) -> None:
    kind = node.get("command_type")
    if kind == "MODIFY_TTL":
        table.ttl = tuple((node.get("ttl") or {}).get("children", ()))
        table.place = _ttl(file, sql)
    elif kind == "REMOVE_TTL":
        table.ttl, table.place = (), _ttl(file, sql)
    elif kind == "MODIFY_SETTING":
        for name, value in settings(node.get("settings_changes")):
            table.whole_parts = bool(value) if name == WHOLE_PARTS else table.whole_parts
    elif kind in {"ADD_COLUMN", "MODIFY_COLUMN"} and node.get("col_decl"):
        _column(table, file, sql, node["col_decl"], removed=str(node.get("remove_property", "")))
    elif kind == "DROP_COLUMN" and node.get("column"):
        table.columns.pop(node["column"]["name"], None)
    elif kind == "RENAME_COLUMN":
        old, new = node["column"]["name"], node["rename_to"]["name"]
        if old in table.columns:
            table.columns[new] = table.columns.pop(old)
            table.places[new] = table.places.pop(old, table.place)


def _column(table: Kept, file: File, sql: Sql, declared: Node, *, removed: str = "") -> None:
    """What a declaration says of a column, over what was said before."""
    name = declared["name"]
    said = {**table.columns.get(name, {}), **declared}
    if removed == "TTL":
        said.pop("ttl", None)
    table.columns[name] = said
    if "ttl" in declared or name not in table.places:
        table.places[name] = _place(file, sql, name)


def _ttl(file: File, sql: Sql) -> Place:
    """Where the table's TTL stands: after those of its columns."""
    data = sql.text.encode(errors="surrogateescape")
    found = [one.begin for one in sql.tokens if data[one.begin : one.end].upper() == b"TTL"]
    return (file.path, *sql.place(found[-1] if found else 0))


def _place(file: File, sql: Sql, word: str) -> Place:
    return (file.path, *sql.word(word))
