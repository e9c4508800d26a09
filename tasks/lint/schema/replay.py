"""The schema at a place in a stream: what the changes before it have made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tasks.lint.schema.change import Change, Column, Constraint, Index, Kind, Relation

__all__ = ["Schema", "Table"]


@dataclass(slots=True, kw_only=True)
class Table:
    """A table, view or dictionary as it stands; ``path`` is the file that made it, ``new`` if that is not merged."""

    name: str
    kind: str
    path: str
    new: bool
    complete: bool  # False: it may have columns that are not listed
    engine: str = ""
    sorting: tuple[str, ...] = ()
    columns: dict[str, Column] = field(default_factory=dict)
    constraints: dict[str, Constraint] = field(default_factory=dict)
    indexes: dict[str, Index] = field(default_factory=dict)

    def foreign(self) -> Iterator[Constraint]:
        """Its foreign keys."""
        return (one for one in self.constraints.values() if one.kind == "foreign")

    @property
    def primary(self) -> Constraint | None:
        """Its primary key."""
        return next((one for one in self.constraints.values() if one.kind == "primary"), None)


@dataclass(slots=True)
class Schema:
    """What a stream has made up to here, as far as its statements can be followed."""

    tables: dict[str, Table] = field(default_factory=dict)
    others: dict[tuple[Kind, str, str], str] = field(default_factory=dict)  # kind, table, name -> the file's path

    def table(self, name: str) -> Table | None:
        """A table by its name, `public.` left out; None where none is known."""
        return self.tables.get(name.removeprefix("public."))

    def has(self, kind: Kind, name: str, of: str = "") -> bool:
        """Whether an object is known."""
        table = self.tables.get(of)
        if kind == "table":
            return name in self.tables
        if kind == "index":
            return any(name.rpartition(".")[2] in one.indexes for one in self.tables.values())
        if kind == "column":
            return table is not None and name in table.columns
        if kind == "constraint":
            return table is not None and name in table.constraints
        return (kind, of, name) in self.others

    def apply(self, changes: Iterable[Change], path: str, *, new: bool) -> None:
        """Go on by what a statement of a file does; ``new``: the file is not merged."""
        for change in changes:
            if change.kind == "table":
                self._table(change, path, new=new)
            elif change.of in self.tables and change.kind in {"column", "constraint", "index"}:
                self._part(self.tables[change.of], change)
            elif change.kind == "index":
                self._index(change)
            elif change.verb == "create":
                self.others.setdefault((change.kind, change.of, change.name), path)
            else:
                self._other(change)

    def _table(self, change: Change, path: str, *, new: bool) -> None:
        if change.verb == "create" and isinstance(change.value, Relation):
            if change.name in self.tables and change.soft and change.value.kind == "table":
                return
            made = change.value
            self.tables[change.name] = Table(
                name=change.name,
                kind=made.kind,
                path=path,
                new=new,
                complete=made.complete,
                engine=made.engine,
                sorting=made.sorting,
                columns={one.name: one for one in made.columns},
                constraints={one.name: one for one in made.constraints},
            )
        elif change.verb == "drop":
            self._gone(change.name)
        elif change.verb == "rename" and change.name in self.tables:
            table = self.tables.pop(change.name)
            table.name = change.to
            self.tables[change.to] = table
            for other in self.tables.values():
                for key in [one for one in other.foreign() if one.table == change.name]:
                    other.constraints[key.name] = key._replace(table=change.to)

    def _gone(self, name: str) -> None:
        self.tables.pop(name, None)
        for table in self.tables.values():
            for key in [one.name for one in table.foreign() if one.table == name]:
                del table.constraints[key]
        for kind, of, one in [key for key in self.others if key[1] == name]:
            del self.others[kind, of, one]

    def _part(self, table: Table, change: Change) -> None:
        kinds: dict[str, dict[str, Any]]
        kinds = {"column": table.columns, "constraint": table.constraints, "index": table.indexes}
        parts = kinds[change.kind]
        name = change.name.rpartition(".")[2] if change.kind == "index" else change.name
        if change.verb == "create" and isinstance(change.value, Column | Constraint | Index):
            if not (change.soft and name in parts):
                parts[name] = change.value
            if isinstance(change.value, Constraint) and change.value.kind == "primary":
                for key in filter(table.columns.__contains__, change.value.columns):
                    table.columns[key] = table.columns[key]._replace(nullable=False)
        elif change.verb == "drop":
            parts.pop(name, None)
        elif change.verb == "rename" and name in parts:
            kept = [one._replace(name=change.to) if one.name == name else one for one in parts.values()]
            parts.clear()
            parts.update((one.name, one) for one in kept)
        elif change.verb == "alter" and change.kind == "column" and name in table.columns:
            table.columns[name] = _altered(table.columns[name], change)
        elif change.verb == "alter" and change.kind == "constraint" and name in table.constraints:
            table.constraints[name] = table.constraints[name]._replace(valid=True)

    def _index(self, change: Change) -> None:
        """An index is dropped and renamed without its table."""
        name = change.name.rpartition(".")[2]
        for table in self.tables.values():
            if name in table.indexes:
                found = table.indexes.pop(name)
                if change.verb == "rename":
                    new = change.to.rpartition(".")[2]
                    table.indexes[new] = found._replace(name=new)
                return

    def _other(self, change: Change) -> None:
        path = self.others.pop((change.kind, change.of, change.name), None)
        if change.verb == "rename" and path is not None:
            self.others[change.kind, change.of, change.to] = path
        if change.verb == "alter" and path is not None:
            self.others[change.kind, change.of, change.name] = path
        if change.verb == "drop" and change.kind == "schema":
            for name in [name for name in self.tables if name.startswith(f"{change.name}.")]:
                self._gone(name)


def _altered(column: Column, change: Change) -> Column:
    value = change.value if isinstance(change.value, Column) else column
    if change.what == "type":
        return column._replace(type=value.type)
    if change.what == "definition":  # on ClickHouse, where the type says whether it is nullable
        return column._replace(
            type=value.type or column.type,
            nullable=value.nullable if value.type else column.nullable,
            default=value.default or column.default,
        )
    if change.what == "default":
        return column._replace(default=value.default)
    return column._replace(nullable=change.what == "nullable")
