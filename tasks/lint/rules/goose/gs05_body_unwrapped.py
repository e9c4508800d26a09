"""GS05 body-unwrapped: the body of a function stands between StatementBegin and StatementEnd.

Problem: The statement has semicolons at line ends inside its body (`$$ … $$`, `BEGIN ATOMIC … END`), and no
`-- +goose StatementBegin` before it. goose knows no SQL: it cuts the statement at the first of them. `goose validate`
does not see it.

Consequence: PostgreSQL refuses the first piece, so the release stops at this file, after the ones before were applied.

Solution: Put `-- +goose StatementBegin` on a line before the statement and `-- +goose StatementEnd` on one after it.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.lint.file import File
from tasks.lint.finding import Edit, Flaw
from tasks.lint.rule import Rule
from tasks.lint.splits import Split, splits

__all__ = ["RULE", "check"]

RULE = Rule(code="GS05", name="body-unwrapped", severity="error", needs="statements", engines=("postgres",))

SHOWN = 8  # lines of the statement in the advice; the middle of a longer one is left out


def check(file: File) -> Iterator[Flaw]:
    """Statements that goose cuts inside a body."""
    for split in splits(file):
        if split.cause == "body":
            line, column = split.first.at(split.mistake.position)
            yield Flaw(
                f"goose will cut this statement at line {split.first.statement.end_line}, inside the body, and"
                f" PostgreSQL will refuse the first piece: {_short(split.mistake.message)}.",
                line=line,
                column=column,
                instead=_wrapped(file, split) if split.whole else "-- +goose StatementBegin\n…\n-- +goose StatementEnd",
                fix=_fix(file, split) if split.alone else (),
            )


def _short(message: str) -> str:
    return message.partition(" at or near ")[0]


def _wrapped(file: File, split: Split) -> str:
    lines = list(file.lines[split.first.line - 1 : split.last.statement.end_line])
    if len(lines) > SHOWN:
        lines = [*lines[: SHOWN // 2], "…", *lines[1 - SHOWN // 2 :]]
    return "\n".join(["-- +goose StatementBegin", *lines, "-- +goose StatementEnd"])


def _fix(file: File, split: Split) -> tuple[Edit, ...]:
    before, after = file.start(split.first.line), file.start(split.last.statement.end_line + 1)
    end = "" if file.data[:after].endswith(b"\n") else "\n"
    return (
        Edit(before, before, "-- +goose StatementBegin\n"),
        Edit(after, after, f"{end}-- +goose StatementEnd\n"),
    )
