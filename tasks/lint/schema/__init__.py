"""The schema that a stream has built up to a place in it: made of its parsed DDL alone, never of a server."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.syntax import Tree
from tasks.lint.file import File
from tasks.lint.schema import clickhouse, postgres
from tasks.lint.schema.change import Change
from tasks.lint.schema.replay import Schema, Table
from tasks.lint.sql import Sql

__all__ = ["Change", "Schema", "Table", "changes", "of_tree"]

UNKNOWN = Change("unknown")
DEFINES = frozenset({"CREATE", "ALTER", "DROP", "RENAME", "EXCHANGE", "ATTACH", "UNDROP", "REPLACE"})
APART = frozenset({"USER", "ROLE", "ROW", "MASKING", "POLICY", "QUOTA", "SETTINGS", "NAMED", "WORKLOAD", "RESOURCE"})


def changes(sql: Sql, file: File) -> tuple[Change, ...]:
    """What a statement does to the schema, in order; `unknown` where nobody can follow it."""
    if sql.changes is None:  # the replay and several rules ask
        sql.changes = tuple(_changes(sql, file))
    return sql.changes


def _changes(sql: Sql, file: File) -> Iterator[Change]:
    if file.engine == "postgres":
        if not sql.trees:
            yield UNKNOWN
        for tree in sql.trees:
            yield from of_tree(tree, file)
    elif sql.trees:
        for tree in sql.trees:
            yield from of_tree(tree, file)
    elif not sql.tokens or not sql.known or sql.mistake or _defines(sql):
        yield UNKNOWN


def of_tree(tree: Tree, file: File) -> Iterator[Change]:
    """What one statement of several does."""
    if file.engine == "postgres":
        return postgres.changes(tree)
    return clickhouse.changes(tree, file.database.names.get("local", "default"))


def _defines(sql: Sql) -> bool:
    """Whether a statement of which ClickHouse has no tree may be about a table."""
    data = sql.text.encode()
    words = [data[one.begin : one.end].decode().upper() for one in sql.tokens[:4]]
    return bool(words) and words[0] in DEFINES and not APART & set(words)
