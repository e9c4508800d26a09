"""PL02 timestamptz6: a time is TIMESTAMPTZ(6).

Problem: A column is TIMESTAMP, or TIMESTAMPTZ without the precision that the policy asks for.

Consequence: TIMESTAMP holds no zone: two services on differently set machines write different times for one moment, and
nobody can tell afterwards. Without (6) Prisma's pull and other environments show another type for the same column.

Solution: `TIMESTAMPTZ(6)`. A column that holds rows is changed with `USING column AT TIME ZONE 'UTC'`, if UTC is what
was written into it.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.lint.finding import Flaw
from tasks.lint.rule import Rule
from tasks.lint.rules.policy.columns import STATEMENTS, base, written
from tasks.lint.walk import Node

__all__ = ["RULE", "check"]

RULE = Rule(
    code="PL02", name="timestamptz6", severity="error", needs="statements", engines=("postgres",), on=STATEMENTS
)

RIGHT = "timestamptz(6)"


def check(node: Node) -> Iterator[Flaw]:
    """Columns of another type for a moment."""
    for one in written(node):
        kind, brackets = base(one.type), "[]" * one.type.count("[]")
        if kind not in {"timestamp", "timestamptz"} or one.type == RIGHT + brackets:
            continue
        if kind == "timestamp":
            message = f"{one.table}.{one.name} holds no time zone, so nobody can tell which moment a row of it means."
        else:
            message = f"{one.table}.{one.name} is {one.type}, and times are TIMESTAMPTZ(6) everywhere."
        line, column = node.sql.place(one.byte)
        yield Flaw(message, line=line, column=column, instead=f"{one.name} TIMESTAMPTZ(6){brackets}")
