"""GS21 down-drops-version-table: no file drops what goose keeps its history in.

Problem: The file drops the database or schema that holds goose's version table, or the table itself.

Consequence: goose cannot record that it has run the file. In a transaction it fails each time and changes nothing; else
the history is gone, and the next run takes the database for an empty one and runs every migration again.

Solution: Drop the objects that Up has made, one by one. The database or schema is made and dropped by who sets the
environment up.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.lint.file import File
from tasks.lint.finding import Flaw
from tasks.lint.rule import Rule
from tasks.lint.schema import changes

__all__ = ["RULE", "check"]

RULE = Rule(code="GS21", name="down-drops-version-table", severity="error", needs="statements")


def check(file: File) -> Iterator[Flaw]:
    """Statements that take goose's version table along."""
    above, _, table = file.database.table.rpartition(".")
    homes = {above or "public"} if file.engine == "postgres" else {*file.database.names.values()}
    tables = {f"{home}.{table}".removeprefix("public.") for home in homes} | {file.database.table}
    for sql in file.statements:
        for change in changes(sql, file):
            lost = change.name in (homes if change.kind == "schema" else tables if change.kind == "table" else ())
            if change.verb == "drop" and lost:
                line, column = sql.place(change.byte)
                then = (
                    "so it fails each time" if file.transaction else "and the next run begins with the first file again"
                )
                yield Flaw(
                    f"This drops goose's version table {file.database.table}: goose cannot record the file, {then}.",
                    line=line,
                    column=column,
                )
