"""GS13 template-left: nothing of goose's template is left.

Problem: The file still holds `SELECT 'up SQL query';` or `SELECT 'down SQL query';`, which `goose create` wrote.

Consequence: The migration is recorded as applied in every environment and has done nothing; its version is taken.

Solution: Write the migration, or take the file away. `doit create` writes a template without such lines.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.lint.file import File
from tasks.lint.finding import Flaw
from tasks.lint.rule import Rule

__all__ = ["RULE", "check"]

RULE = Rule(code="GS13", name="template-left", severity="error", needs="file")

LEFT = ("select 'up sql query'", "select 'down sql query'")


def check(file: File) -> Iterator[Flaw]:
    """Statements that goose's template has put there."""
    for sql in file.statements:
        if " ".join(sql.text.rstrip("; \n").casefold().split()) in LEFT:
            line, column = sql.at(1)
            yield Flaw(
                "This line of goose's template does nothing, and the file will be recorded as applied.",
                line=line,
                column=column,
                end_column=column + len(sql.text),
            )
