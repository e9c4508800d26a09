"""Names, types, columns and constraints, as PostgreSQL's syntax trees have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tasks.lint.schema.change import Column, Constraint

__all__ = [
    "Node",
    "column",
    "constraint",
    "expression",
    "guessed",
    "joined",
    "named",
    "of_column",
    "strings",
    "type_of",
]

Node = Mapping[str, Any]
SERIALS = frozenset({"serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"})
CONSTRAINTS = {
    "CONSTR_PRIMARY": ("primary", "pkey"),
    "CONSTR_UNIQUE": ("unique", "key"),
    "CONSTR_FOREIGN": ("foreign", "fkey"),
    "CONSTR_CHECK": ("check", "check"),
    "CONSTR_EXCLUSION": ("exclude", "excl"),
}
LONGEST = 63  # bytes of a name


def type_of(node: Node) -> str:
    """A type as text: ``timestamptz(6)``, ``varchar(20)``, ``app.mood[]``."""
    names = [one["String"]["sval"] for one in node.get("names", ())]
    if len(names) == 1 and not ("typmods" in node or "arrayBounds" in node):
        return str(names[0])
    if names[:1] in (["pg_catalog"], ["public"]):
        names = names[1:]
    brackets = [_constant(one) for one in node.get("typmods", ())]
    if names == ["interval"]:
        brackets = brackets[1:]  # the first says which fields it has
    inside = f"({','.join(brackets)})" if brackets else ""
    return ".".join(names) + inside + "[]" * len(node.get("arrayBounds", ()))


def named(relation: Node) -> str:
    """A table's name without ``public.``."""
    return joined([relation.get("schemaname", ""), relation["relname"]])


def joined(parts: list[str]) -> str:
    """A name of these parts without ``public.``."""
    return ".".join([*(part for part in parts[:-1] if part not in {"", "public"}), parts[-1]])


def _constant(node: Node) -> str:
    value = node.get("A_Const", {})
    for kind in ("ival", "fval", "sval"):
        if kind in value:
            return str(value[kind].get(kind, 0))
    return "?"


def strings(nodes: Any) -> list[str]:
    """The words of a list of names."""
    return [one["String"]["sval"] for one in nodes or () if "String" in one]


def column(node: Node) -> Column:
    """A column definition, without what the table says of it."""
    written = type_of(node["typeName"]) if "typeName" in node else ""
    constraints = {one["Constraint"]["contype"]: one["Constraint"] for one in node.get("constraints", ())}
    generated = "serial" if written in SERIALS else ""
    if "CONSTR_IDENTITY" in constraints:
        generated = "identity"
    elif "CONSTR_GENERATED" in constraints:
        generated = "stored"
    filled = bool(generated) and generated != "stored"
    required = filled or "CONSTR_NOTNULL" in constraints or "CONSTR_PRIMARY" in constraints
    default = constraints.get("CONSTR_DEFAULT", {}).get("raw_expr")
    return Column(node.get("colname", ""), written, not required, expression(default) if default else "", generated)


def expression(node: Node) -> str:
    """An expression in a word: ``now()``, ``constant``, ``expression``; what a cast is of."""
    while "TypeCast" in node:
        node = node["TypeCast"]["arg"]
    if "FuncCall" in node:
        return f"{strings(node['FuncCall']['funcname'])[-1]}()"
    if "SQLValueFunction" in node:
        return f"{node['SQLValueFunction'].get('op', '').removeprefix('SVFOP_').lower()}()"
    return "constant" if "A_Const" in node else "expression"


def of_column(table: str, node: Node) -> Iterator[Constraint]:
    """The constraints that a column's definition holds."""
    for one in node.get("constraints", ()):
        if one["Constraint"]["contype"] in CONSTRAINTS:
            yield from constraint(table, one["Constraint"], node["colname"])


def constraint(table: str, node: Node, column: str = "") -> Iterator[Constraint]:
    """A constraint of a table, or of one of its columns; none where it only says what its column is."""
    found = CONSTRAINTS.get(node["contype"])
    if found is None:
        return
    kind, ending = found
    columns = [column] if column else strings(node.get("keys") or node.get("fk_attrs"))
    given = node.get("conname", "")
    yield Constraint(
        given or guessed(table, () if kind == "primary" else columns, ending),
        kind,  # type: ignore[arg-type]  # one of the words above
        tuple(columns),
        named(node["pktable"]) if "pktable" in node else "",
        tuple(strings(node.get("pk_attrs"))),
        not node.get("skip_validation", False),
        not given,
    )


def guessed(table: str, columns: Any, ending: str) -> str:
    """The name that PostgreSQL gives where none is written (its makeObjectName), as far as nothing has it already."""
    return "_".join([table.rpartition(".")[2], *columns, ending])[:LONGEST]
