"""GS19 set-leaks: a setting that a file makes ends with the file.

Problem: The file says `SET name = …` without LOCAL, or `set_config(…, false)`. goose runs all files over one
connection.

Consequence: The setting is still in force in the files after this one, in this run. A run that begins later does not
have it: a new environment and an old one are built under different settings.

Solution: `SET LOCAL` ends with the transaction. In a file without transaction, `RESET name` after the statement.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from schemas.syntax import Tree
from tasks.lint.file import File
from tasks.lint.finding import Edit, Flaw
from tasks.lint.rule import Rule
from tasks.lint.sql import Sql

__all__ = ["RULE", "check"]

RULE = Rule(code="GS19", name="set-leaks", severity="error", needs="statements", engines=("postgres",))

LOCAL_ANYWAY = frozenset({"TRANSACTION", "TRANSACTION SNAPSHOT"})
BACK = frozenset({"VAR_RESET", "VAR_SET_DEFAULT"})


def check(file: File) -> Iterator[Flaw]:
    """Settings that stay on after the file."""
    for statements in (file.up, file.down):
        trees = [(sql, tree) for sql in statements for tree in sql.trees]
        for number, (sql, tree) in enumerate(trees):
            name = _set(tree)
            if name and not any(_resets(later, name) for _, later in trees[number + 1 :]):
                yield _flaw(file, sql, tree, name)


def _set(tree: Tree) -> str:
    """The setting that a statement makes for the whole session."""
    fields = tree.fields
    if tree.kind == "VariableSetStmt" and not fields.get("is_local") and fields["kind"] not in {*BACK, "VAR_RESET_ALL"}:
        name = str(fields.get("name", ""))
        return "" if name in LOCAL_ANYWAY else name
    if tree.kind == "SelectStmt":
        for target in fields.get("targetList", ()):
            call = target["ResTarget"].get("val", {}).get("FuncCall", {})
            arguments = call.get("args", [])
            names = [one["String"]["sval"] for one in call.get("funcname", [])]
            if names[-1:] == ["set_config"] and len(arguments) == 3 and _false(arguments[2]):  # noqa: PLR2004 - its form
                return str(arguments[0].get("A_Const", {}).get("sval", {}).get("sval", "")) or "a setting"
    return ""


def _false(argument: dict[str, Any]) -> bool:
    constant = argument.get("A_Const", {})
    return "boolval" in constant and not constant["boolval"].get("boolval")


def _resets(tree: Tree, name: str) -> bool:
    kind, fields = tree.fields.get("kind"), tree.fields
    if tree.kind == "DiscardStmt":
        return fields.get("target") == "DISCARD_ALL"
    return tree.kind == "VariableSetStmt" and (kind == "VAR_RESET_ALL" or (kind in BACK and fields.get("name") == name))


def _flaw(file: File, sql: Sql, tree: Tree, name: str) -> Flaw:
    line, column = sql.place(tree.begin)
    text = sql.text.encode()[tree.begin : tree.end].decode()
    words = text.split()
    plain = words[0].upper() == "SET" and words[1].upper() not in {"SESSION", "LOCAL"}
    at = file.byte(line, column) + len("SET")
    written = " ".join(words)
    if not file.transaction:
        instead = f"RESET {name};"
    elif plain:
        instead = f"SET LOCAL{written[3:]};"
    else:
        instead = f"SET LOCAL {name} = …;" if tree.kind == "VariableSetStmt" else ""
    return Flaw(
        f"{name} will stay as it is set here in every file that goose runs after this one.",
        line=line,
        column=column,
        end_column=column + len(text.split("\n", 1)[0]),
        instead=instead,
        fix=(Edit(at, at, " LOCAL"),) if plain and file.transaction and sql.known else (),
    )
