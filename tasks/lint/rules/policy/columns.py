"""The columns that a PostgreSQL statement writes down, each with its type and where that stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tasks.lint.schema.postgres_parts import named, type_of
from tasks.lint.sql import Sql
from tasks.lint.walk import Node

__all__ = ["STATEMENTS", "Written", "base", "spot", "written"]

WORD = re.compile(rb"[\w$]")
STATEMENTS = ("CreateStmt", "AlterTableStmt")
Fields = Mapping[str, Any]


class Written(NamedTuple):
    """A column of a table that stays, as a statement of Up says it."""

    table: str
    name: str
    type: str  # timestamptz(6), varchar(20), text[]
    byte: int  # of its type, in the statement


def written(node: Node) -> Iterator[Written]:
    """The columns of CREATE TABLE, ADD COLUMN and ALTER COLUMN … TYPE."""
    relation = node.fields.get("relation", {})
    if node.sql.direction != "up" or relation.get("relpersistence") == "t":
        return
    table = named(relation)
    if node.kind == "CreateStmt":
        definitions = [(one, "") for one in node.fields.get("tableElts", ())]
    else:
        commands = [one["AlterTableCmd"] for one in node.fields.get("cmds", ())]
        definitions = [
            (one.get("def", {}), one.get("name", ""))
            for one in commands
            if one["subtype"] in {"AT_AddColumn", "AT_AlterColumnType"}
        ]
    for element, name in definitions:
        fields: Fields = element.get("ColumnDef", {})
        if "typeName" in fields:
            kind = fields["typeName"]
            byte = kind["location"] if "location" in kind else fields.get("location", 0)
            yield Written(table, fields.get("colname", name), type_of(kind), byte)


def spot(sql: Sql, name: str, byte: int) -> tuple[int, int]:
    """Line and column of a name, looked for from a byte of the statement on; the byte's where it is not found."""
    data = sql.data.lower()
    bare = name.rpartition(".")[2].encode(errors="surrogateescape").lower()
    for start in (byte, 0):
        at = data.find(bare, start)
        while at >= 0:
            if not WORD.match(data, at + len(bare)) and not (at and WORD.match(data, at - 1)):
                return sql.place(at)
            at = data.find(bare, at + 1)
    return sql.place(byte)


def base(written: str) -> str:
    """A type without what is in brackets: ``timestamptz(6)`` and ``timestamptz(6)[]`` are ``timestamptz``."""
    return written.partition("(")[0].partition("[")[0]
