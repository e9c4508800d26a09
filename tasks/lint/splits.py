"""Where goose, which knows no SQL, cuts a statement in two: the pieces that do not parse, and the whole that does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from tasks.lint.file import File
from tasks.lint.sql import Mistake, Sql, Tree
from tools.postgres.syntax import parse

__all__ = ["Split", "splits"]

MOST = 200  # pieces that are tried together
BODIES = frozenset({"CreateFunctionStmt", "DoStmt"})
OPEN = "unterminated "  # PostgreSQL's lexer: a string, a dollar-quoted one, a quoted name, a comment


class Split(NamedTuple):
    """A statement in pieces, each of which goose sends by itself."""

    first: Sql
    last: Sql
    mistake: Mistake  # what PostgreSQL says of the first piece
    cause: Literal["body", "text"]  # what the semicolon is in: a function's body, or a string, name or comment
    whole: tuple[Tree, ...]  # how the pieces parse together; empty where they do not

    @property
    def alone(self) -> bool:
        """Whether the pieces together are exactly one statement."""
        return len(self.whole) == 1


def splits(file: File) -> list[Split]:
    """The statements of a PostgreSQL file that goose cuts in two."""
    if file.engine != "postgres":
        return []
    return [*_in_direction(file, file.up), *_in_direction(file, file.down)]


def _in_direction(file: File, pieces: Sequence[Sql]) -> Iterator[Split]:
    done = 0
    for number, piece in enumerate(pieces):
        if number < done or piece.block or piece.mistake is None or piece.statement.substituted:
            continue
        last, whole = _whole(file, pieces[number : number + MOST])
        opened = piece.mistake.message.startswith(OPEN)
        if whole or opened:
            body = any(tree.kind in BODIES for tree in whole) or piece.mistake.message.startswith(f"{OPEN}dollar")
            yield Split(piece, last, piece.mistake, "body" if body else "text", whole)
            done = number + MOST if not whole else pieces.index(last, number) + 1


def _whole(file: File, pieces: Sequence[Sql]) -> tuple[Sql, tuple[Tree, ...]]:
    """The last of the pieces that make a whole together, and how that parses."""
    for piece in pieces[1:]:
        if piece.block or piece.statement.substituted:
            break
        read = parse("\n".join(file.lines[pieces[0].line - 1 : piece.statement.end_line]))
        if isinstance(read, tuple):
            return piece, read
    return pieces[0], ()
