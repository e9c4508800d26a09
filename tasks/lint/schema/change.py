"""What a statement does to a schema, in the words of both engines."""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["Change", "Column", "Constraint", "Index", "Kind", "Relation", "Value", "Verb"]

Verb = Literal["create", "drop", "alter", "rename", "unknown"]
"""``unknown``: the statement may do anything to the schema: it does not parse, or runs code."""

Kind = Literal[
    "table",
    "column",
    "constraint",
    "index",
    "type",
    "function",
    "trigger",
    "policy",
    "sequence",
    "schema",
    "extension",
    "",
]
"""``table`` is all that has columns and shares their names: views, materialized views and dictionaries too."""


class Column(NamedTuple):
    """A column as its table has it."""

    name: str
    type: str  # small letters, with what is in brackets: text, timestamptz(6), varchar(20), user_status, int4[]
    nullable: bool = True
    default: str = ""  # "now()" for a call, "constant", "expression"; empty: none
    generated: str = ""  # "identity", "serial", "stored"; on ClickHouse "materialized", "alias", "ephemeral"


class Constraint(NamedTuple):
    """A constraint; ``guessed``: its name is the one that PostgreSQL gives."""

    name: str
    kind: Literal["primary", "unique", "foreign", "check", "exclude"]
    columns: tuple[str, ...] = ()
    table: str = ""  # that a foreign key refers to
    refers: tuple[str, ...] = ()  # its columns; empty: the primary key's
    valid: bool = True
    guessed: bool = False


class Index(NamedTuple):
    """An index; an expression among its columns is an empty name."""

    name: str
    columns: tuple[str, ...]
    unique: bool = False
    partial: bool = False
    guessed: bool = False


class Relation(NamedTuple):
    """What has columns."""

    kind: Literal["table", "view", "materialized view", "dictionary"]
    columns: tuple[Column, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    complete: bool = True  # False: it has more columns than are written (LIKE, INHERITS, AS SELECT)
    engine: str = ""  # on ClickHouse
    sorting: tuple[str, ...] = ()  # the columns of ORDER BY, on ClickHouse


Value = Column | Constraint | Index | Relation


class Change(NamedTuple):
    """One thing that a statement does."""

    verb: Verb
    kind: Kind = ""
    name: str = ""  # without `public.`; with its schema or database elsewhere
    of: str = ""  # the table of a column, constraint, index, trigger or policy
    to: str = ""  # the new name
    soft: bool = False  # IF EXISTS, IF NOT EXISTS, OR REPLACE
    value: Value | None = None  # what is created; of an altered column its new self, as far as the statement says it
    what: str = ""  # what is altered: "type", "default", "not null", "nullable", "definition", "valid", "value"
    byte: int = 0  # where it stands in the statement
