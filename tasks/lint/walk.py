"""One walk over the syntax trees of a file, which shows each node to the rules that want to see its kind."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from schemas.syntax import Tree
from tasks.lint.file import File
from tasks.lint.rule import Listed
from tasks.lint.schema import Change, Schema, changes, of_tree
from tasks.lint.sql import Sql

__all__ = ["Before", "Node", "dispatch", "walk"]

OUTERMOST = frozenset({"CreateStmt", "AlterTableStmt"})  # PostgreSQL has them in no other statement but CREATE SCHEMA
BARE = {"typeName": "TypeName", "relation": "RangeVar", "selectStmt": "SelectStmt"}
"""Fields that libpg_query writes without the name of their kind, because it never varies."""


class Node(NamedTuple):
    """A node of a syntax tree, with where it is."""

    kind: str
    fields: Mapping[str, Any]
    tree: Tree  # the whole statement
    sql: Sql  # goose's cut, which may hold several
    file: File
    schema: Schema | None = None  # for rules that need the catalogue: as it is before the statement

    @property
    def place(self) -> tuple[int, int]:
        """Line and column in the file; those of the statement where the parser notes none."""
        return self.sql.place(self.fields.get("location", self.tree.begin))

    @property
    def changes(self) -> tuple[Change, ...]:
        """What the statement does to the schema."""
        alone = len(self.sql.trees) == 1
        return changes(self.sql, self.file) if alone else tuple(of_tree(self.tree, self.file))

    def fresh(self, table: str) -> bool:
        """Whether a table is made by this file or another one that is not merged: nobody has rows in it."""
        found = self.schema.table(table) if self.schema else None
        return found is not None and (found.new or found.path == self.file.path)


class Before(NamedTuple):
    """A file, and the schema as it is before it."""

    file: File
    schema: Schema


def dispatch(rules: Sequence[Listed]) -> dict[str, list[Listed]]:
    """Who wants to see which kind of node."""
    wanted: dict[str, list[Listed]] = {}
    for one in rules:
        for kind in one.rule.on:
            wanted.setdefault(kind, []).append(one)
    return wanted


def walk(
    file: File, wanted: Mapping[str, list[Listed]], schema: Schema | None = None, *, new: bool = False
) -> Iterator[tuple[Node, list[Listed]]]:
    """Every node that somebody wants to see, statement by statement, from the outside in.

    A ``schema`` goes on by what each statement of Up does, after its nodes; Down sees what Up has made.
    """
    for sql in file.statements:
        for tree in sql.trees if wanted else ():
            if tree.kind in wanted:
                yield Node(tree.kind, tree.fields, tree, sql, file, schema), wanted[tree.kind]
            if file.engine == "postgres" and wanted.keys() <= OUTERMOST and tree.kind != "CreateSchemaStmt":
                continue
            inner = _clickhouse if file.engine == "clickhouse" else _postgres
            for kind, fields in inner(tree.fields, wanted):
                yield Node(kind, fields, tree, sql, file, schema), wanted[kind]
        if schema is not None and sql.direction == "up":
            schema.apply(changes(sql, file), file.path, new=new)


def _postgres(fields: Mapping[str, Any], wanted: Container[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The nodes below one that somebody wants to see: ``{"ColumnDef": {…}}``."""
    waiting: list[Any] = [fields]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(reversed(value))
            continue
        for name, inner in value.items():
            if isinstance(inner, dict):
                kind = BARE.get(name, name)
                if kind in wanted:
                    yield kind, inner
        waiting.extend([one for one in reversed(value.values()) if isinstance(one, dict | list)])


def _clickhouse(fields: Mapping[str, Any], wanted: Container[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The nodes below one that somebody wants to see: ``{"type": "ColumnDeclaration", …}``."""
    waiting: list[Any] = [*reversed(tuple(fields.values()))]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            kind = value.get("type")
            if isinstance(kind, str) and kind in wanted:
                yield kind, value
            waiting.extend([one for one in reversed(value.values()) if isinstance(one, dict | list)])
        elif isinstance(value, list):
            waiting.extend(reversed(value))
