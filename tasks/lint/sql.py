"""A statement as rules see it: goose's cut of it, and what the engine's own parser makes of that."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from schemas.catalog import EngineName
from schemas.goose_annotation import Direction
from schemas.statement import Statement
from schemas.syntax import Mistake, Tree
from tools.clickhouse.syntax import Parsed
from tools.clickhouse.tokens import Token, significant
from tools.postgres.syntax import parse

if TYPE_CHECKING:
    from tasks.lint.schema.change import Change

__all__ = ["Read", "Sql"]

Read = Callable[[str], Parsed]
"""How ClickHouse reads a text."""


class Sql:
    """One call to the server. On PostgreSQL it may hold several statements, of which each is a tree."""

    def __init__(self, statement: Statement, direction: Direction, engine: EngineName, read: Read) -> None:
        self.statement, self.direction, self.engine = statement, direction, engine
        self._clickhouse = read
        self.changes: tuple[Change, ...] | None = None  # kept by tasks/lint/schema once somebody has asked

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
    def known(self) -> bool:
        """Whether its text is what will be sent: ENVSUB fills in nothing that is not known here."""
        return not self.statement.substituted

    @cached_property
    def trees(self) -> tuple[Tree, ...]:
        """Its statements; none where they do not parse or nobody can tell."""
        if not self.known:
            return ()
        if self.engine == "clickhouse":
            tree = self._clickhouse(self.text).tree
            return (tree,) if tree else ()
        return self._postgres if isinstance(self._postgres, tuple) else ()

    @property
    def mistake(self) -> Mistake | None:
        """Why it does not parse; None where it does or nobody can tell."""
        if not self.known:
            return None
        if self.engine == "clickhouse":
            return self._clickhouse(self.text).mistake
        return self._postgres if isinstance(self._postgres, Mistake) else None

    @cached_property
    def tokens(self) -> list[Token]:
        """On ClickHouse what its lexer makes of the text, without white space and comments."""
        return significant(self._clickhouse(self.text).tokens) if self.engine == "clickhouse" else []

    def place(self, byte: int) -> tuple[int, int]:
        """Line and column in the file of a byte of the text, counted from 0 as trees and tokens do."""
        byte = max(byte, 0)
        before = byte if self._ascii else len(self.data[:byte].decode(errors="replace"))
        return self.at(before + 1)

    def at(self, position: int) -> tuple[int, int]:
        """Line and column in the file of a character of the text, counted from 1 as mistakes do."""
        line, column = self.statement.locate(position)
        return line, column or 1

    def word(self, name: str) -> tuple[int, int]:
        """On ClickHouse, whose trees have no places: where a name stands first; the statement's place if nowhere."""
        for token in self.tokens:
            if self.data[token.begin : token.end].decode(errors="replace").strip('`"') == name:
                return self.place(token.begin)
        return self.at(1)

    @cached_property
    def data(self) -> bytes:
        """The text in bytes, as trees and tokens count."""
        return self.text.encode(errors="surrogateescape")

    @cached_property
    def _ascii(self) -> bool:
        return self.text.isascii()

    @cached_property
    def _postgres(self) -> tuple[Tree, ...] | Mistake | None:
        return parse(self.text)
