"""PL01 text-ids: ids are TEXT, and what refers to them is too.

Problem: A column that is an id, or refers to one, is UUID, a number or of limited length.

Consequence: Every other table and service has TEXT there: PostgreSQL refuses a foreign key between two types (42804)
and a comparison of them, and what two sequences have numbered cannot be brought together.

Solution: `id TEXT PRIMARY KEY DEFAULT gen_random_uuid()::TEXT`, and `user_id TEXT NOT NULL REFERENCES users(id)`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tasks.lint.finding import Flaw
from tasks.lint.rule import Rule
from tasks.lint.rules.policy.columns import STATEMENTS, Written, base, written
from tasks.lint.schema import Schema, Table
from tasks.lint.schema.change import Change, Constraint, Relation
from tasks.lint.walk import Node

__all__ = ["RULE", "check"]

RULE = Rule(code="PL01", name="text-ids", severity="error", needs="catalogue", engines=("postgres",), on=STATEMENTS)

FAMILIES = {
    **dict.fromkeys(("text", "varchar", "bpchar", "char"), "text"),
    **dict.fromkeys(("int2", "int4", "int8", "serial", "serial2", "serial4", "serial8"), "number"),
    **dict.fromkeys(("smallserial", "bigserial", "numeric"), "number"),
    "uuid": "uuid",
}
"""Types that ids have, by what may refer to each other; of others nobody knows what they hold."""


def check(node: Node) -> Iterator[Flaw]:
    """Ids and references of another type; foreign keys between types that PostgreSQL does not compare."""
    if node.schema is None or node.sql.direction != "up":
        return
    after = node.changes
    keys = [one for change in after for one in _constraints(change)]
    told: set[str] = set()
    columns = tuple(written(node))
    for one in columns:
        if one.type == "text" or base(one.type) not in FAMILIES:
            continue
        table = node.schema.table(one.table)
        constraints = [*keys, *(table.constraints.values() if table else ())]
        foreign = next((key for key in constraints if key.kind == "foreign" and one.name in key.columns), None)
        alone = any(key.kind == "primary" and key.columns == (one.name,) for key in constraints)
        named = one.name == "id" or one.name.endswith("_id")
        if not (foreign or alone or named):
            continue
        told.add(one.name)
        if foreign:
            message, instead = _refused(node.schema, foreign, one.table, one.name, one.type), f"{one.name} TEXT"
        else:
            message = (
                f"{one.table}.{one.name} is {one.type}, and the TEXT ids of other tables cannot be compared with it."
            )
            instead = f"{one.name} TEXT PRIMARY KEY DEFAULT gen_random_uuid()::TEXT" if alone else f"{one.name} TEXT"
        line, column = node.sql.place(one.byte)
        yield Flaw(
            message or f"{one.table}.{one.name} refers to an id and is {one.type}, and ids are TEXT everywhere.",
            line=line,
            column=column,
            instead=instead,
        )
    yield from _mismatched(node, after, columns, told)


def _mismatched(node: Node, after: Sequence[Change], columns: Sequence[Written], told: set[str]) -> Iterator[Flaw]:
    """Foreign keys whose own column is TEXT, or was there before, and whose goal is of another kind."""
    assert node.schema is not None  # noqa: S101 - for the type checker
    here = {one.name: one.type for one in columns}
    for change in after:
        for key in _constraints(change):
            if key.kind != "foreign" or len(key.columns) != 1 or key.columns[0] in told:
                continue
            (name,) = key.columns
            table = change.of or change.name
            known = node.schema.table(table)
            kind = here.get(name) or (known.columns[name].type if known and name in known.columns else "")
            message = _refused(node.schema, key, table, name, kind)
            if message:
                line, column = node.sql.place(change.byte if change.of else _place(node.fields, name, node.tree.begin))
                yield Flaw(message, line=line, column=column)


def _refused(schema: Schema, key: Constraint, table: str, name: str, kind: str) -> str:
    """What PostgreSQL will say of the key; empty where both sides fit or nobody knows."""
    goal = schema.table(key.table)
    column = _goal(goal, key, name) if goal else ""
    other = goal.columns[column].type if goal and column in goal.columns else ""
    ours, theirs = FAMILIES.get(base(kind), ""), FAMILIES.get(base(other), "")
    if not ours or not theirs or ours == theirs:
        return ""
    return f"PostgreSQL will refuse the foreign key: {table}.{name} is {kind}, and {key.table}.{column} is {other}."


def _goal(goal: Table, key: Constraint, name: str) -> str:
    refers = key.refers or (goal.primary.columns if goal.primary else ())
    number = key.columns.index(name)
    return refers[number] if number < len(refers) else ""


def _constraints(change: Change) -> tuple[Constraint, ...]:
    if isinstance(change.value, Constraint):
        return (change.value,)
    return change.value.constraints if isinstance(change.value, Relation) else ()


def _place(fields: Mapping[str, Any], name: str, otherwise: int) -> int:
    """Where the column of a new table stands."""
    for element in fields.get("tableElts", ()):
        if element.get("ColumnDef", {}).get("colname") == name:
            return int(element["ColumnDef"].get("location", otherwise))
    return otherwise
