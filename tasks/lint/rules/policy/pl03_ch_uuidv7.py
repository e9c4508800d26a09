"""PL03 ch-uuidv7: ids in ClickHouse are made by generateUUIDv7.

Problem: A column is filled by `generateUUIDv4()`, or `id` is a UUID that nobody fills.

Consequence: Rows that are written one after another get ids that lie anywhere: they cannot be ordered or read in ranges
by their id, and a sorting key with it compresses badly. An id that nobody fills is all zeros in every row without one.

Solution: `id UUID DEFAULT generateUUIDv7()`.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.lint.finding import Flaw
from tasks.lint.rule import Rule
from tasks.lint.walk import Node

__all__ = ["RULE", "check"]

RULE = Rule(
    code="PL03",
    name="ch-uuidv7",
    severity="error",
    needs="statements",
    engines=("clickhouse",),
    on=("Function", "ColumnDeclaration"),
)


def check(node: Node) -> Iterator[Flaw]:
    """Calls of the other generator; ids without a default."""
    if node.sql.direction != "up":
        return
    name = str(node.fields.get("name", ""))
    if node.kind == "Function" and name.lower() in {"generateuuidv4", "uuid"} and not _given(node):
        line, column = node.sql.word(name)
        yield Flaw(
            "Ids of this generator lie in no order, so rows cannot be read in ranges by them and compress badly.",
            line=line,
            column=column,
            end_column=column + len(name),
            instead="generateUUIDv7()",
        )
    elif node.kind == "ColumnDeclaration" and name == "id" and _unfilled(node):
        line, column = node.sql.word(name)
        yield Flaw(
            "Every row that is written without an id gets one that is all zeros.",
            line=line,
            column=column,
            end_column=column + len(name),
            instead="id UUID DEFAULT generateUUIDv7()",
            severity="warning",
        )


def _given(node: Node) -> bool:
    """Whether the call is another function of that name: `uuid()` has no arguments."""
    return node.fields["name"].lower() == "uuid" and bool((node.fields.get("arguments") or {}).get("children"))


def _unfilled(node: Node) -> bool:
    kind = (node.fields.get("data_type") or {}).get("name")
    return kind == "UUID" and not node.fields.get("default_specifier") and node.tree.kind == "CreateQuery"
