"""Where one call to the server holds two statements: the semicolon between them that goose does not take for an end."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from tasks.lint.file import File
from tasks.lint.sql import Sql

__all__ = ["Joint", "joints"]


class Joint(NamedTuple):
    """A semicolon in the middle of a call, and what follows it."""

    sql: Sql
    line: int  # of the semicolon
    column: int
    next: tuple[int, int]  # where the next statement begins

    @property
    def same_line(self) -> bool:
        """Whether both stand on one line."""
        return self.line == self.next[0]


def joints(file: File) -> list[Joint]:
    """Every place of a file where a statement follows another in the same call."""
    return file.once(_all)


def _all(file: File) -> list[Joint]:
    return [joint for sql in file.statements if sql.known for joint in _in(sql)]


def _in(sql: Sql) -> Iterator[Joint]:
    if sql.engine == "postgres":
        for tree, later in pairwise(sql.trees):
            yield Joint(sql, *sql.place(tree.end), sql.place(later.begin))
        return
    if not sql.mistake:  # what follows an INSERT's VALUES may be data: it parses
        return
    found = sql.tokens
    for end, begin in pairwise(found):
        if end.kind == "Semicolon" and begin.kind not in {"Semicolon", "EndOfStream"}:
            yield Joint(sql, *sql.place(end.begin), sql.place(begin.begin))
