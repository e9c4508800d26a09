"""A statement as rules see it: goose's cut of it, and what the engine's own parser makes of that."""

from __future__ import annotations

from functools import cached_property

from schemas.catalog import EngineName
from schemas.goose_annotation import Direction
from schemas.statement import Statement
from tools.postgres.syntax import Mistake, Tree, parse

__all__ = ["Mistake", "Sql", "Tree"]


class Sql:
    """One call to the server; on PostgreSQL it may hold several statements, of which each is a tree."""

    def __init__(self, statement: Statement, direction: Direction, engine: EngineName) -> None:
        self.statement, self.direction, self.engine = statement, direction, engine

    @property
    def text(self) -> str:
        """What is sent."""
        return self.statement.text

    @property
    def line(self) -> int:
        """The file's line that it begins in."""
        return self.statement.line

    @property
    def block(self) -> bool:
        """Whether StatementBegin and StatementEnd stand around it."""
        return self.statement.block

    @cached_property
    def trees(self) -> tuple[Tree, ...]:
        """Its statements; none where they do not parse or nobody can tell."""
        return self._read if isinstance(self._read, tuple) else ()

    @property
    def mistake(self) -> Mistake | None:
        """Why it does not parse; None where it does or nobody can tell."""
        return self._read if isinstance(self._read, Mistake) else None

    def place(self, byte: int) -> tuple[int, int]:
        """Line and column in the file of a byte of the text, counted from 0 as trees do."""
        data = self.text.encode(errors="surrogateescape")[: max(byte, 0)]
        return self.at(len(data.decode(errors="replace")) + 1)

    def at(self, position: int) -> tuple[int, int]:
        """Line and column in the file of a character of the text, counted from 1 as mistakes do."""
        line, column = self.statement.locate(position)
        return line, column or 1

    @cached_property
    def _read(self) -> tuple[Tree, ...] | Mistake | None:
        if self.engine != "postgres" or self.statement.substituted:
            return None
        return parse(self.text)
