"""What a statement of PostgreSQL does to the schema, by its syntax tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from schemas.syntax import Tree
from tasks.lint.schema.change import Change, Column, Constraint, Index, Kind, Relation
from tasks.lint.schema.postgres_parts import (
    Node,
    column,
    constraint,
    expression,
    guessed,
    joined,
    named,
    of_column,
    strings,
    type_of,
)

__all__ = ["changes"]

KINDS: dict[str, Kind] = {
    "OBJECT_TABLE": "table",
    "OBJECT_VIEW": "table",
    "OBJECT_MATVIEW": "table",
    "OBJECT_FOREIGN_TABLE": "table",
    "OBJECT_INDEX": "index",
    "OBJECT_SEQUENCE": "sequence",
    "OBJECT_TYPE": "type",
    "OBJECT_DOMAIN": "type",
    "OBJECT_FUNCTION": "function",
    "OBJECT_PROCEDURE": "function",
    "OBJECT_ROUTINE": "function",
    "OBJECT_TRIGGER": "trigger",
    "OBJECT_POLICY": "policy",
    "OBJECT_SCHEMA": "schema",
    "OBJECT_EXTENSION": "extension",
}
OF_TABLE = frozenset({"trigger", "policy"})


def changes(tree: Tree) -> Iterator[Change]:
    """Everything that the statement does to the schema; nothing for one that only reads or writes rows."""
    handler = HANDLERS.get(tree.kind)
    if handler:
        yield from (one if one.byte else one._replace(byte=tree.begin) for one in handler(tree.fields))


def _create(fields: Node) -> Iterator[Change]:
    relation = fields["relation"]
    name = named(relation)
    columns: list[Column] = []
    constraints: list[Constraint] = []
    complete = not fields.get("inhRelations") and "ofTypename" not in fields
    for one in fields.get("tableElts", ()):
        ((kind, node),) = one.items()
        if kind == "ColumnDef":
            columns.append(column(node))
            constraints += of_column(name, node)
        elif kind == "Constraint":
            constraints += constraint(name, node)
        else:
            complete = False
    keyed = {key for one in constraints if one.kind == "primary" for key in one.columns}
    columns = [one._replace(nullable=False) if one.name in keyed else one for one in columns]
    value = Relation("table", tuple(columns), tuple(constraints), complete)
    if relation.get("relpersistence") != "t":  # a temporary table is gone with the session
        yield Change("create", "table", name, soft=fields.get("if_not_exists", False), value=value)


def _create_as(fields: Node) -> Iterator[Change]:
    relation = fields["into"]["rel"]
    kind = "materialized view" if fields.get("objtype") == "OBJECT_MATVIEW" else "table"
    if relation.get("relpersistence") != "t":
        value = Relation(kind, complete=False)  # type: ignore[arg-type]  # one of the two words
        yield Change("create", "table", named(relation), soft=fields.get("if_not_exists", False), value=value)


def _view(fields: Node) -> Iterator[Change]:
    value = Relation("view", complete=False)
    yield Change("create", "table", named(fields["view"]), soft=fields.get("replace", False), value=value)


def _index(fields: Node) -> Iterator[Change]:
    table = named(fields["relation"])
    columns = tuple(one["IndexElem"].get("name", "") for one in fields.get("indexParams", ()))
    given = fields.get("idxname", "")
    name = given or guessed(table, [one or "expr" for one in columns], "idx")
    above = table.rpartition(".")[0]
    yield Change(
        "create",
        "index",
        f"{above}.{name}" if above else name,
        table,
        soft=fields.get("if_not_exists", False),
        value=Index(name, columns, fields.get("unique", False), "whereClause" in fields, not given),
    )


def _alter(fields: Node) -> Iterator[Change]:
    if fields.get("objtype", "OBJECT_TABLE") not in KINDS or KINDS[fields.get("objtype", "OBJECT_TABLE")] != "table":
        return
    table = named(fields["relation"])
    for one in fields.get("cmds", ()):
        yield from _command(table, one["AlterTableCmd"])


def _command(table: str, command: Node) -> Iterator[Change]:
    subtype, name, soft = command["subtype"], command.get("name", ""), command.get("missing_ok", False)
    defined = command.get("def", {})
    if subtype in {"AT_AddColumn", "AT_AlterColumnType", "AT_ColumnDefault"}:
        yield from _column_command(table, command)
    elif subtype == "AT_AddConstraint":
        node = defined["Constraint"]
        for one in constraint(table, node):
            yield Change("create", "constraint", one.name, table, value=one, byte=node.get("location", 0))
    elif subtype in {"AT_DropColumn", "AT_DropConstraint"}:
        yield Change("drop", "column" if subtype == "AT_DropColumn" else "constraint", name, table, soft=soft)
    elif subtype == "AT_ValidateConstraint":
        yield Change("alter", "constraint", name, table, what="valid")
    elif subtype in {"AT_SetNotNull", "AT_DropNotNull"}:
        yield Change("alter", "column", name, table, what="not null" if subtype == "AT_SetNotNull" else "nullable")


def _column_command(table: str, command: Node) -> Iterator[Change]:
    name, soft, defined = command.get("name", ""), command.get("missing_ok", False), command.get("def", {})
    node = defined.get("ColumnDef", {})
    byte = node.get("location", 0)
    if command["subtype"] == "AT_AddColumn":
        yield Change("create", "column", node["colname"], table, soft=soft, value=column(node), byte=byte)
        for one in of_column(table, node):
            yield Change("create", "constraint", one.name, table, soft=soft, value=one, byte=byte)
    elif command["subtype"] == "AT_AlterColumnType":
        yield Change(
            "alter", "column", name, table, value=Column(name, type_of(node["typeName"])), what="type", byte=byte
        )
    else:
        value = Column(name, "", default=expression(defined) if defined else "")
        yield Change("alter", "column", name, table, value=value, what="default")


def _drop(fields: Node) -> Iterator[Change]:
    kind = KINDS.get(fields["removeType"])
    for one in fields.get("objects", ()) if kind else ():
        ((form, node),) = one.items()
        parts = (
            strings(node.get("items") or node.get("names") or node.get("objname"))
            if form != "String"
            else [node["sval"]]
        )
        if kind and parts:
            of = joined(parts[:-1]) if kind in OF_TABLE else ""
            name = parts[-1] if kind in OF_TABLE else joined(parts)
            yield Change("drop", kind, name, of, soft=fields.get("missing_ok", False))


def _rename(fields: Node) -> Iterator[Change]:
    kind, to = fields["renameType"], fields["newname"]
    table = named(fields["relation"]) if "relation" in fields else ""
    if kind == "OBJECT_COLUMN":
        yield Change("rename", "column", fields["subname"], table, to)
    elif kind == "OBJECT_TABCONSTRAINT":
        yield Change("rename", "constraint", fields["subname"], table, to)
    elif kind in {"OBJECT_TRIGGER", "OBJECT_POLICY"}:
        yield Change("rename", KINDS[kind], fields.get("subname", ""), table, to)
    elif kind in KINDS:
        parts = strings(fields.get("object", {}).get("List", {}).get("items")) or table.split(".")
        yield Change(
            "rename", KINDS[kind], joined(parts), "", joined([*parts[:-1], to]), soft=fields.get("missing_ok", False)
        )


def _moved(fields: Node) -> Iterator[Change]:
    kind = KINDS.get(fields.get("objectType", ""))
    if kind == "table" and "relation" in fields:
        yield Change(
            "rename", kind, named(fields["relation"]), "", joined([fields["newschema"], fields["relation"]["relname"]])
        )


def _named(kind: Kind, field: str, soft: str = "") -> Callable[[Node], Iterator[Change]]:
    """A handler for a statement that creates what one of its fields names."""

    def handler(fields: Node) -> Iterator[Change]:
        value = fields[field]
        if isinstance(value, list):
            name = joined(strings(value))
        else:
            name = named(value) if isinstance(value, Mapping) else str(value)
        yield Change("create", kind, name, soft=bool(soft) and fields.get(soft, False))

    return handler


def _on_table(kind: Kind, field: str, table: str) -> Callable[[Node], Iterator[Change]]:
    def handler(fields: Node) -> Iterator[Change]:
        yield Change("create", kind, fields[field], named(fields[table]), soft=fields.get("replace", False))

    return handler


def _schema(fields: Node) -> Iterator[Change]:
    if fields.get("schemaname"):
        yield Change("create", "schema", fields["schemaname"], soft=fields.get("if_not_exists", False))
    if fields.get("schemaElts"):
        yield Change("unknown")


def _enum_value(fields: Node) -> Iterator[Change]:
    yield Change("alter", "type", joined(strings(fields["typeName"])), what="value")


def _anything(_: Node) -> Iterator[Change]:
    yield Change("unknown")


HANDLERS: dict[str, Callable[[Node], Iterator[Change]]] = {
    "CreateStmt": _create,
    "CreateTableAsStmt": _create_as,
    "ViewStmt": _view,
    "IndexStmt": _index,
    "AlterTableStmt": _alter,
    "DropStmt": _drop,
    "RenameStmt": _rename,
    "AlterObjectSchemaStmt": _moved,
    "CreateEnumStmt": _named("type", "typeName"),
    "CompositeTypeStmt": _named("type", "typevar"),
    "CreateRangeStmt": _named("type", "typeName"),
    "CreateDomainStmt": _named("type", "domainname"),
    "CreateFunctionStmt": _named("function", "funcname", "replace"),
    "CreateSeqStmt": _named("sequence", "sequence", "if_not_exists"),
    "CreateExtensionStmt": _named("extension", "extname", "if_not_exists"),
    "CreateTrigStmt": _on_table("trigger", "trigname", "relation"),
    "CreatePolicyStmt": _on_table("policy", "policy_name", "table"),
    "CreateSchemaStmt": _schema,
    "AlterEnumStmt": _enum_value,
    "DoStmt": _anything,
    "CallStmt": _anything,
    "ExecuteStmt": _anything,
}
