"""PL05 naming: names are snake_case, and say what they name.

Problem: A table, column or other object has a name that is not made of small letters, digits and `_`; or an index,
foreign key or unique constraint does not begin with `idx_`, `fk_` or `uk_`.

Consequence: A name with a capital letter, a dash or a space must be quoted in every statement that anybody ever writes,
and `select userId` fails. An error such as `violates constraint "users_email"` does not say what it is about.

Solution: `user_id`; `idx_users_email`, `fk_sessions_user_id`, `uk_users_email`. A unique index may begin with `uk_` or
`idx_`. Names that the server gives by itself are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tasks.lint.file import File
from tasks.lint.finding import Flaw
from tasks.lint.rule import Rule
from tasks.lint.rules.policy.columns import spot
from tasks.lint.schema import Change, changes
from tasks.lint.schema.change import Constraint, Index, Relation
from tasks.lint.sql import Sql

__all__ = ["RULE", "check"]

RULE = Rule(code="PL05", name="naming", severity="warning", needs="statements")

SNAKE = re.compile(r"[a-z_][a-z0-9_]*")
QUOTED = "must be quoted in every statement that anybody writes, or is not found."
SPELT = "is found by this very spelling alone, and all other names are written in small letters."
FREE = frozenset({"extension", "schema"})  # often somebody else's


def check(file: File) -> Iterator[Flaw]:
    """Names that somebody has written, and that do not fit."""
    for sql in file.up:
        for change in changes(sql, file):
            if change.verb == "rename":
                yield from _snake(sql, change, change.kind, change.to)
            elif change.verb == "create" and change.kind not in FREE:
                yield from _created(sql, change, postgres=file.engine == "postgres")


def _created(sql: Sql, change: Change, *, postgres: bool) -> Iterator[Flaw]:
    value = change.value
    if not (isinstance(value, Constraint | Index) and value.guessed):
        yield from _snake(sql, change, change.kind, change.name)
    if isinstance(value, Relation):
        for column in value.columns:
            yield from _snake(sql, change, "column", column.name)
        for constraint in value.constraints if postgres else ():
            if not constraint.guessed:
                yield from _snake(sql, change, "constraint", constraint.name)
                yield from _constraint(sql, change, constraint, change.name)
    elif isinstance(value, Constraint) and postgres:
        yield from _constraint(sql, change, value, change.of)
    elif isinstance(value, Index) and postgres and not value.guessed:
        begins = ("idx_", "uk_") if value.unique else ("idx_",)
        yield from _begins(sql, change, value.name, begins, "index", change.of, value.columns)


def _constraint(sql: Sql, change: Change, one: Constraint, table: str) -> Iterator[Flaw]:
    words = {"foreign": ("fk_", "foreign key"), "unique": ("uk_", "unique constraint")}
    if one.guessed or one.kind not in words:
        return
    prefix, kind = words[one.kind]
    yield from _begins(sql, change, one.name, (prefix,), kind, table, one.columns)


def _begins(  # noqa: PLR0917 - parts of one sentence
    sql: Sql, change: Change, name: str, begins: tuple[str, ...], kind: str, table: str, columns: tuple[str, ...]
) -> Iterator[Flaw]:
    if name.startswith(begins):
        return
    line, column = spot(sql, name, change.byte)
    parts = [begins[0].rstrip("_"), table.rpartition(".")[2], *filter(None, columns)]
    yield Flaw(
        f"Whoever reads {name} in an error or a plan cannot tell that it is {'an' if kind == 'index' else 'a'} {kind}.",
        line=line,
        column=column,
        instead="_".join(parts),
    )


def _snake(sql: Sql, change: Change, kind: str, name: str) -> Iterator[Flaw]:
    bare = name.rpartition(".")[2] if kind in {"table", "index", "type", "function", "sequence"} else name
    if SNAKE.fullmatch(bare) or not bare or bare.startswith(".inner"):
        return
    line, column = spot(sql, bare, change.byte)
    better = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", bare).lower()).strip("_")
    yield Flaw(
        f"The {kind} {bare} {QUOTED if sql.engine == 'postgres' else SPELT}",
        line=line,
        column=column,
        instead=better,
    )
