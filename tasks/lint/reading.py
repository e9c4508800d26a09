"""The files of a stream as rules see them; ClickHouse is asked about all their statements at once, where it must be."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock

from schemas.catalog import Database
from schemas.stream import Migration
from tasks.lint.file import File
from tasks.work import Session
from tools.clickhouse.syntax import Parsed, Parser
from tools.toolchain import clickhouse

__all__ = ["Readings", "files", "parser"]

NOTHING = Parsed(tree=None, mistake=None)


class Readings:
    """What ClickHouse makes of statements; those of the files to be ``looked_at`` are asked about at once."""

    def __init__(self, parser: Parser | None) -> None:
        self.parser = parser
        self.looked_at: tuple[File, ...] = ()
        self._known: dict[str, Parsed] = {}
        self._lock = Lock()

    def of(self, text: str) -> Parsed:
        """How ClickHouse reads a text; nothing is known without a parser."""
        with self._lock:
            if text not in self._known and self.parser is not None:
                asked = {text: None}
                for file in self.looked_at:
                    if file.engine == "clickhouse":
                        asked |= {sql.text: None for sql in file.statements if sql.known}
                self.looked_at = ()
                self._known |= self.parser.read(list(asked))
        return self._known.get(text, NOTHING)


def files(migrations: Iterable[Migration], database: Database, readings: Readings) -> tuple[File, ...]:
    """Each migration as a `File`."""
    return tuple(File(migration, database, readings.of) for migration in migrations)


def parser(session: Session) -> Parser:
    """The parser of ClickHouse that the targets of a run share."""
    return session.shared("ClickHouse's parser", lambda: Parser(lambda: clickhouse(session.say)))
