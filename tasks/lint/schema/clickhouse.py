"""What a statement of ClickHouse does to the schema, by its syntax tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from schemas.syntax import Tree
from tasks.lint.schema.change import Change, Column, Constraint, Index, Relation

__all__ = ["changes", "type_of"]

Node = Mapping[str, Any]
NONE: Node = {}


def changes(tree: Tree, database: str) -> Iterator[Change]:
    """Everything that the statement does to the schema; ``database`` is where names without one lead."""
    node = tree.fields
    if tree.kind == "CreateQuery":
        yield from _create(node, database)
    elif tree.kind == "AlterQuery" and node.get("table"):
        table = _named(node, database)
        for one in _children(node.get("command_list")):
            yield from _command(table, one)
    elif tree.kind == "DropQuery" and node.get("kind") == "Drop":
        yield from _drop(node, database)
    elif tree.kind == "RenameQuery":
        yield from _rename(node, database)
    elif tree.kind == "CreateSQLFunctionQuery":
        soft = node.get("if_not_exists", False) or node.get("or_replace", False)
        yield Change("create", "function", node["function_name"]["name"], soft=soft)


def type_of(node: Node) -> str:
    """A type as ClickHouse writes it: ``Nullable(String)``, ``DateTime64(3, 'UTC')``."""
    if node.get("type") == "EnumDataType":
        values = ", ".join(f"{_quoted(one['name'])} = {one['value']}" for one in node.get("values", ()))
        return f"{node['name']}({values})"
    if node.get("type") == "NameTypePair":
        return f"{node['name']} {type_of(node['name_type'])}"
    if node.get("type") == "Literal":
        value = node["value"]
        return _quoted(value["value"]) if value["field_type"] == "String" else str(value["value"])
    inside = ", ".join(type_of(one) for one in _children(node.get("arguments")))
    return f"{node.get('name', '?')}({inside})" if inside else str(node.get("name", "?"))


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _children(node: Node | None) -> list[Node]:
    return list((node or NONE).get("children", ()))


def _named(node: Node, database: str) -> str:
    return f"{node.get('database') or database}.{node['table']}"


def _create(node: Node, database: str) -> Iterator[Change]:
    if node.get("temporary") or node.get("is_temporary"):
        return
    soft = bool(node.get("if_not_exists") or node.get("create_or_replace") or node.get("replace_view"))
    if not node.get("table"):
        yield Change("create", "schema", node["database"], soft=soft)
        return
    listed = node.get("columns_list") or NONE
    columns = tuple(_column(one) for one in _children(listed.get("columns")))
    if node.get("is_dictionary"):
        attributes = _children(node.get("dictionary_attributes_list"))
        columns = tuple(Column(one["name"], type_of(one["attr_type"]), nullable=False) for one in attributes)
    storage = node.get("storage") or NONE
    value = Relation(
        kind=_kind(node),  # type: ignore[arg-type]  # one of its words
        columns=columns,
        constraints=tuple(
            Constraint(one["name"], "check") for one in _children(listed.get("constraints")) if one.get("name")
        ),
        complete=bool(columns) and not node.get("as_table"),
        engine=(storage.get("engine") or NONE).get("name", ""),
        sorting=_identifiers(storage.get("order_by") or storage.get("primary_key")),
    )
    yield Change("create", "table", _named(node, database), soft=soft, value=value)
    for one in _children(listed.get("indices")):
        index = Index(one["name"], _identifiers(one.get("expression")))
        yield Change("create", "index", one["name"], _named(node, database), value=index)


def _kind(node: Node) -> str:
    if node.get("is_dictionary"):
        return "dictionary"
    if node.get("is_materialized_view"):
        return "materialized view"
    return "view" if node.get("is_ordinary_view") else "table"


def _column(node: Node) -> Column:
    written = type_of(node["data_type"]) if node.get("data_type") else ""
    specifier = str(node.get("default_specifier", ""))
    return Column(
        name=node["name"],
        type=written,
        nullable=written.startswith(("Nullable(", "LowCardinality(Nullable(")) or node.get("null_modifier") is True,
        default=_expression(node.get("default_expression")),
        generated="" if specifier in {"", "DEFAULT"} else specifier.lower(),
    )


def _expression(node: Node | None) -> str:
    if not node:
        return ""
    if node.get("type") == "Function" and not node.get("is_operator"):
        return f"{node['name']}()"
    return "constant" if node.get("type") == "Literal" else "expression"


def _identifiers(node: Node | None) -> tuple[str, ...]:
    """The columns of a key; an expression among them is an empty name."""
    if not node:
        return ()
    parts = _children(node.get("arguments")) if node.get("name") == "tuple" else [node]
    return tuple(str(one.get("name", "")) if one.get("type") == "Identifier" else "" for one in parts)


def _command(table: str, node: Node) -> Iterator[Change]:
    kind = node.get("command_type")
    soft = bool(node.get("if_exists") or node.get("if_not_exists"))
    if kind == "ADD_COLUMN":
        column = _column(node["col_decl"])
        yield Change("create", "column", column.name, table, soft=soft, value=column)
    elif kind == "DROP_COLUMN" and not node.get("clear_column") and not node.get("partition"):
        yield Change("drop", "column", node["column"]["name"], table, soft=soft)
    elif kind == "MODIFY_COLUMN" and node.get("col_decl"):
        column = _column(node["col_decl"])
        yield Change("alter", "column", column.name, table, value=column, what="definition", soft=soft)
    elif kind == "RENAME_COLUMN":
        yield Change("rename", "column", node["column"]["name"], table, node["rename_to"]["name"], soft=soft)
    elif kind == "ADD_INDEX" and node.get("index_decl"):
        index = node["index_decl"]
        value = Index(index["name"], _identifiers(index.get("expression")))
        yield Change("create", "index", index["name"], table, soft=soft, value=value)
    elif kind == "DROP_INDEX" and not node.get("clear_index") and node.get("index"):
        yield Change("drop", "index", node["index"]["name"], table, soft=soft)


def _drop(node: Node, database: str) -> Iterator[Change]:
    soft = bool(node.get("if_exists"))
    several = _children(node.get("database_and_tables"))
    for one in several:
        parts = one.get("name_parts") or [one["name"]]
        yield Change("drop", "table", ".".join(parts) if len(parts) > 1 else f"{database}.{parts[0]}", soft=soft)
    if not several and node.get("table"):
        yield Change("drop", "table", _named(node, database), soft=soft)
    elif not several and node.get("database") and not node.get("has_tables"):
        yield Change("drop", "schema", node["database"], soft=soft)


def _rename(node: Node, database: str) -> Iterator[Change]:
    if node.get("exchange") or node.get("database_name"):
        yield Change("unknown")  # what names what afterwards is not followed
        return
    for one in node.get("elements", ()):
        if not one.get("from_table") or not one.get("to_table"):
            yield Change("unknown")
            continue
        old = f"{one.get('from_database') or database}.{one['from_table']}"
        new = f"{one.get('to_database') or database}.{one['to_table']}"
        yield Change("rename", "table", old, "", new)
