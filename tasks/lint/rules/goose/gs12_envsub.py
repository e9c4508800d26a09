"""GS12 envsub: what ENVSUB fills in is there, and dollars that are meant stay dollars.

Problem: Between `-- +goose ENVSUB ON` and `ENVSUB OFF` goose replaces `$NAME` and `${NAME}` by variables of the
environment, and `$$` by one dollar.

Consequence: A variable that is not set becomes nothing, without a word: the statement that then runs is another one.
`$1` stops the release, and `$$ … $$` is no quote any more. After the section's end lines of the other one are filled in
too, so that a variable which only Down needs stops Up.

Solution: Write `${NAME?is not set}` or `${NAME:-default}`; switch it off before dollar quotes and before Down.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.envsub import unguarded
from schemas.syntax import Mistake
from tasks.lint.file import File
from tasks.lint.finding import Flaw
from tasks.lint.rule import Rule
from tools.postgres.syntax import parse

__all__ = ["RULE", "check"]

RULE = Rule(code="GS12", name="envsub", severity="error", needs="statements")


def check(file: File) -> Iterator[Flaw]:
    """Lines that goose cannot fill in, that it may fill in with nothing, or that lose a dollar quote."""
    for refusal in file.refused("substitution"):
        yield Flaw(
            f"goose will stop at this file, after it has applied the ones before: {refusal.message}.",
            line=refusal.line,
            end_column=len(file.line(refusal.line)) + 1,
        )
    if file.goose is None:
        return
    for number in file.substituting:
        line = file.line(number)
        at = line.find("$$")
        if at >= 0 and _breaks(file, number):
            yield Flaw(
                "goose will send $ for $$ here, so that nothing is quoted any more and PostgreSQL refuses it.",
                line=number,
                column=at + 1,
                end_column=at + 3,
                instead=f"-- +goose ENVSUB OFF\n{line}",
            )
        for column, name, written in unguarded(line):
            yield Flaw(
                f"Where {name} is not set, goose will put nothing in its place and run what is left.",
                line=number,
                column=column,
                end_column=column + len(written),
                instead=f"${{{name}?is not set}}",
                severity="warning",
            )
    if file.open_at_down:
        down = next(mark.line for mark in file.marks if mark.name == "Down")
        yield Flaw(
            "ENVSUB is still on here: goose fills in the lines of Down when it runs Up, and the reverse, so a variable"
            " that only one needs stops both.",
            line=down,
            instead="-- +goose ENVSUB OFF\n-- +goose Down",
            severity="warning",
        )


def _breaks(file: File, number: int) -> bool:
    """Whether the statement with this line does not parse once it is filled in: ``$$`` may be meant for one dollar."""
    return file.engine == "postgres" and any(
        sql.line <= number <= sql.statement.end_line and isinstance(parse(sql.text), Mistake) for sql in file.statements
    )
