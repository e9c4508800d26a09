"""GS10 notx-many: without a transaction, a file holds one statement, or statements that can run again.

Problem: The file says NO TRANSACTION and holds several statements; one that is not the last cannot run a second time.

Consequence: When a later one fails, the earlier ones stay and the file is not recorded. The next run begins at the top
and stops at its own leftovers, in that environment, until somebody repairs the database by hand.

Solution: Give each such statement a file of its own, or let it run twice: `IF NOT EXISTS`, `IF EXISTS`, `OR REPLACE`,
`ON CONFLICT DO NOTHING`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tasks.lint.file import File
from tasks.lint.finding import Flaw
from tasks.lint.rule import Rule

__all__ = ["RULE", "check"]

RULE = Rule(code="GS10", name="notx-many", severity="error", needs="statements", engines=("postgres",))

GUARDS = {  # statement -> the field that says that it does nothing where its object is there, or is not
    "CreateStmt": "if_not_exists",
    "CreateTableAsStmt": "if_not_exists",
    "IndexStmt": "if_not_exists",
    "CreateSeqStmt": "if_not_exists",
    "CreateSchemaStmt": "if_not_exists",
    "CreateExtensionStmt": "if_not_exists",
    "CreateFunctionStmt": "replace",
    "ViewStmt": "replace",
    "CreateTrigStmt": "replace",
    "DropStmt": "missing_ok",
}
BARE = frozenset({"CreateEnumStmt", "CompositeTypeStmt", "CreateRangeStmt", "CreateDomainStmt", "RenameStmt"})
COLUMNS = {"AT_AddColumn", "AT_DropColumn", "AT_DropConstraint"}
WORDS = {
    "if_not_exists": "IF NOT EXISTS",
    "missing_ok": "IF EXISTS",
    "replace": "OR REPLACE",
    "": "a file of its own",
    "conflict": "ON CONFLICT DO NOTHING",
}


def check(file: File) -> Iterator[Flaw]:
    """Statements before the last one of their direction that would stop a second run."""
    if file.transaction or file.goose is None or file.goose.transaction:
        return
    for statements in (file.up, file.down):
        trees = [(sql, tree) for sql in statements for tree in sql.trees]
        if not all(sql.known for sql in statements):
            continue
        for sql, tree in trees[:-1]:
            lacking = _lacking(tree.kind, tree.fields)
            if lacking is not None:
                line, column = sql.place(tree.begin)
                yield Flaw(
                    "Where a later statement of this file fails, this one stays and stops every further run, because"
                    " the file has no transaction.",
                    line=line,
                    column=column,
                    instead=WORDS[lacking],
                )


def _lacking(kind: str, fields: Mapping[str, Any]) -> str | None:
    """What a statement needs to run twice; None where it can, or nobody can tell."""
    if kind in BARE:
        return ""
    if kind in GUARDS:
        return None if fields.get(GUARDS[kind]) else GUARDS[kind]
    if kind == "InsertStmt":
        return None if "onConflictClause" in fields else "conflict"
    if kind == "AlterTableStmt":
        commands = [one["AlterTableCmd"] for one in fields.get("cmds", ())]
        for command in commands:
            if command["subtype"] == "AT_AddConstraint":
                return ""
            if command["subtype"] in COLUMNS and not command.get("missing_ok"):
                return "if_not_exists" if command["subtype"] == "AT_AddColumn" else "missing_ok"
    return None
