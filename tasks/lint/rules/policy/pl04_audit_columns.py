"""PL04 audit-columns: a table says when its rows were made and changed.

Problem: A new table has no `created_at` or `updated_at`, or they may be NULL.

Consequence: Nobody can tell afterwards when a row came or what has changed since yesterday; a column that is added
later has the day of its migration in all the old rows.

Solution: `created_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW()`, and `updated_at` the same with a trigger that keeps it.
The rule is off unless services.yaml asks for it, as a table that only links two others needs neither.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.lint.finding import Flaw
from tasks.lint.rule import Rule
from tasks.lint.rules.policy.columns import spot
from tasks.lint.schema.change import Relation
from tasks.lint.walk import Node

__all__ = ["RULE", "check"]

RULE = Rule(
    code="PL04",
    name="audit-columns",
    severity="advice",
    needs="statements",
    engines=("postgres",),
    on=("CreateStmt",),
    opt_in=True,
)

WANTED = ("created_at", "updated_at")


def check(node: Node) -> Iterator[Flaw]:
    """Tables without them."""
    if node.sql.direction != "up" or "partbound" in node.fields:
        return
    for change in node.changes:
        if not isinstance(change.value, Relation) or not change.value.complete:
            continue
        columns = {one.name: one for one in change.value.columns}
        for name in WANTED:
            if name in columns and not columns[name].nullable:
                continue
            line, column = spot(node.sql, name if name in columns else change.name, node.tree.begin)
            why = "may be NULL" if name in columns else "is missing"
            yield Flaw(
                f"{change.name}.{name} {why}, so of some rows nobody will know when they were"
                f" {'made' if name == 'created_at' else 'changed'}.",
                line=line,
                column=column,
                instead=f"{name} TIMESTAMPTZ(6) NOT NULL DEFAULT NOW()",
            )
