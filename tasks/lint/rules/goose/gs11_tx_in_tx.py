"""GS11 tx-in-tx: a file that goose runs in a transaction neither begins nor ends one.

Problem: The file holds BEGIN, COMMIT or ROLLBACK, and goose already runs the whole of it in one transaction.

Consequence: COMMIT ends goose's transaction early. When a later statement fails, the earlier ones stay and the file is
not recorded: the next run stops at its leftovers. BEGIN does nothing but warn.

Solution: Leave them out. A file that must not be in one transaction says `-- +goose NO TRANSACTION`.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.lint.file import File
from tasks.lint.finding import Flaw
from tasks.lint.rule import Rule
from tasks.lint.splits import splits

__all__ = ["RULE", "check"]

RULE = Rule(code="GS11", name="tx-in-tx", severity="error", needs="statements", engines=("postgres",))

KINDS = {
    "TRANS_STMT_BEGIN": "only warns: goose has begun a transaction already",
    "TRANS_STMT_START": "only warns: goose has begun a transaction already",
    "TRANS_STMT_COMMIT": "commits goose's transaction early: what fails later leaves this file half applied",
    "TRANS_STMT_ROLLBACK": "rolls goose's transaction back: what stands before it is lost, and the file is recorded",
}


def check(file: File) -> Iterator[Flaw]:
    """Statements that begin or end a transaction inside goose's."""
    if not file.transaction:
        return
    pieces = [(split.first.line, split.last.statement.end_line) for split in splits(file)]
    for sql in file.statements:
        if any(first <= sql.line <= last for first, last in pieces):
            continue  # the END of a function's body
        for tree in sql.trees:
            does = KINDS.get(tree.fields.get("kind", "")) if tree.kind == "TransactionStmt" else None
            if does:
                line, column = sql.place(tree.begin)
                word = sql.text.encode()[tree.begin : tree.end].decode().split()[0].upper()
                yield Flaw(
                    f"{word} {does}.",
                    line=line,
                    column=column,
                    end_column=column + len(word),
                )
