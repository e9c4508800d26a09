"""GS20 down-mirror: Down takes back what Up has made, and nothing else.

Problem: Up creates an object that Down does not drop, or Down drops one that Up has not made.

Consequence: After a rollback something is left, and the next Up stops at it; or something is gone that the files before
have made and that the application still needs.

Solution: Undo in Down each thing that Up does, the last one first. What cannot be undone says so and why, on a line
`-- irreversible: …`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from schemas.irreversible import reason
from tasks.lint.finding import Flaw
from tasks.lint.rule import Rule
from tasks.lint.schema import Change, Schema, changes
from tasks.lint.schema.change import Constraint, Index
from tasks.lint.sql import Sql
from tasks.lint.walk import Before

__all__ = ["RULE", "check"]

RULE = Rule(code="GS20", name="down-mirror", severity="warning", needs="catalogue")

STAYS = frozenset({"extension", "schema"})  # IF NOT EXISTS says that others may use it
PARTS = frozenset({"column", "constraint", "index", "trigger", "policy"})
Key = tuple[str, str, str]  # kind, table, name


class _Net(NamedTuple):
    """What is left of a file's changes: object -> the statement that has made or dropped it."""

    made: dict[Key, tuple[Sql, Change]]
    gone: dict[Key, tuple[Sql, Change]]


def check(before: Before) -> Iterator[Flaw]:
    """Objects that are left after Up and Down, or missing then."""
    file, schema = before.file, before.schema
    if file.goose is None or not file.down or reason(file.data):
        return
    done = [(sql, change) for sql in file.statements for change in changes(sql, file)]
    if any(change.verb == "unknown" or (change.verb == "rename" and change.kind == "table") for _, change in done):
        return
    net = _net(done, schema)
    for (kind, of, name), (sql, change) in net.made.items():
        if sql.direction == "up":
            line, column = sql.place(change.byte)
            yield Flaw(
                f"After a rollback the {kind} {name}{f' of {of}' if of else ''} is left, and the next Up stops at it.",
                line=line,
                column=column,
                instead=_drop(kind, of, name, clickhouse=file.engine == "clickhouse"),
            )
    for (kind, of, name), (sql, change) in net.gone.items():
        line, column = sql.place(change.byte)
        where = f"{kind} {name}{f' of {of}' if of else ''}"
        if sql.direction == "up":
            yield Flaw(f"A rollback does not bring back the {where} that Up drops.", line=line, column=column)
        elif schema.has(change.kind, name, of):
            yield Flaw(f"A rollback drops the {where}, which a file before has made.", line=line, column=column)


def _net(done: Iterable[tuple[Sql, Change]], schema: Schema) -> _Net:
    net = _Net({}, {})
    for sql, change in done:
        key = (change.kind, change.of, change.name)
        if change.verb == "create":
            _made(net, key, sql, change, schema)
        elif change.verb == "drop":
            _dropped(net, key, sql, change)
        elif change.verb == "rename":
            old, new = key, (change.kind, change.of, change.to)
            _dropped(net, old, sql, change)
            _made(net, new, sql, change, schema)
    return net


def _made(net: _Net, key: Key, sql: Sql, change: Change, schema: Schema) -> None:
    if net.gone.pop(key, None) is not None:
        return
    there = change.soft and (change.kind in STAYS or schema.has(change.kind, change.name, change.of))
    within = change.kind in PARTS and ("table", "", change.of) in net.made
    if not there and not within:
        net.made[key] = (sql, change)


def _dropped(net: _Net, key: Key, sql: Sql, change: Change) -> None:
    if change.kind == "table":
        for part in [one for one in (*net.made, *net.gone) if one[1] == change.name]:
            net.made.pop(part, None)
            net.gone.pop(part, None)
    if change.kind in PARTS and ("table", "", change.of) in net.made:
        return
    if change.kind == "index":
        key = next((one for one in net.made if one[0] == "index" and one[2] == change.name), key)
    if change.kind == "column":  # takes the constraints and indexes over it along
        for part in [one for one, (_, made) in net.made.items() if one[1] == change.of and _over(made, change.name)]:
            del net.made[part]
    if net.made.pop(key, None) is None and not _guessed(net, change):
        net.gone[key] = (sql, change)


def _over(made: Change, column: str) -> bool:
    return isinstance(made.value, Constraint | Index) and column in made.value.columns


def _guessed(net: _Net, change: Change) -> bool:
    """Whether the drop is of something to which PostgreSQL gave a name: the name that we guessed may be another."""
    for key, (_, made) in net.made.items():
        if key[0] == change.kind and isinstance(made.value, Constraint | Index) and made.value.guessed:
            del net.made[key]
            return True
    return False


def _drop(kind: str, of: str, name: str, *, clickhouse: bool) -> str:
    if kind in {"column", "constraint"} or (kind == "index" and clickhouse):
        return f"ALTER TABLE {of} DROP {kind.upper()} {name};"
    if kind in {"trigger", "policy"}:
        return f"DROP {kind.upper()} {name} ON {of};"
    return f"DROP {kind.upper()} {name}{' SYNC' if clickhouse and kind == 'table' else ''};"
