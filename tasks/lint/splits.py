"""Where goose, which knows no SQL, cuts a statement in two: the pieces that do not parse, and the whole that does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from schemas.syntax import Mistake, Tree
from tasks.lint.file import File
from tasks.lint.finding import Edit
from tasks.lint.sql import Sql

__all__ = ["Split", "in_block", "into_block", "splits"]

SHOWN = 8  # lines of a statement in the advice; the middle of a longer one is left out
MOST = {"postgres": 200, "clickhouse": 20}  # pieces that are tried together; ClickHouse is asked about each
BODIES = frozenset({"CreateFunctionStmt", "DoStmt"})
OPEN = ("unterminated ", "is not closed")  # what the lexers say of a string, a quoted name, a comment
DOLLAR = "unterminated dollar"
AT_END = "syntax error at end of input"  # a body of standard SQL that is cut after its first statement
ENOUGH = 1_000_000  # characters that are read again in search of wholes, for one direction of a file


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

    @property
    def said(self) -> str:
        """The engine's words, without the text that they repeat."""
        return self.mistake.message.partition(" at or near ")[0].partition(": Syntax error")[0]


def splits(file: File) -> list[Split]:
    """The statements of a file that goose cuts in two."""
    return file.once(_all)


def _all(file: File) -> list[Split]:
    return [*_in_direction(file, file.up), *_in_direction(file, file.down)]


def _in_direction(file: File, pieces: Sequence[Sql]) -> Iterator[Split]:
    done, left = 0, ENOUGH
    for number, piece in enumerate(pieces):
        mistake = piece.mistake
        if number < done or piece.block or mistake is None:
            continue
        opened = any(words in mistake.message for words in OPEN)
        if not opened and mistake.message != AT_END:
            continue
        most = MOST[file.engine]
        last, whole, read = _whole(file, pieces[number : number + most], left)
        left -= read
        if whole or opened:
            body = any(tree.kind in BODIES for tree in whole) or mistake.message.startswith(DOLLAR)
            yield Split(piece, last, mistake, "body" if body else "text", whole)
            done = number + most if not whole else pieces.index(last, number) + 1


def _whole(file: File, pieces: Sequence[Sql], most: int) -> tuple[Sql, tuple[Tree, ...], int]:
    """The last of the pieces that make a whole together, how that parses, and how many characters were read for it."""
    read = 0
    for piece in pieces[1:]:
        if piece.block or piece.statement.substituted:
            break
        joined = "\n".join(file.lines[pieces[0].line - 1 : piece.statement.end_line])
        read += len(joined)
        if read > most:
            break
        found = file.parse(joined)
        if isinstance(found, tuple):
            return piece, found, read
    return pieces[0], (), read


def in_block(file: File, first: int, last: int) -> str:
    """Lines of the file between StatementBegin and StatementEnd, as advice shows them."""
    lines = list(file.lines[first - 1 : last])
    if len(lines) > SHOWN:
        lines = [*lines[: SHOWN // 2], "…", *lines[1 - SHOWN // 2 :]]
    return "\n".join(["-- +goose StatementBegin", *lines, "-- +goose StatementEnd"])


def into_block(file: File, first: int, last: int) -> tuple[Edit, ...]:
    """The edits that put lines of the file between StatementBegin and StatementEnd."""
    before, after = file.start(first), file.start(last + 1)
    end = "" if file.data[:after].endswith(b"\n") else "\n"
    return (
        Edit(before, before, "-- +goose StatementBegin\n"),
        Edit(after, after, f"{end}-- +goose StatementEnd\n"),
    )
