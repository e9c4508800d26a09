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

__all__ = ["files", "parser"]


class _Readings:
    """What ClickHouse makes of the statements of some files: asked once, when the first is looked at."""

    def __init__(self, parser: Parser | None) -> None:
        self.parser = parser
        self.files: tuple[File, ...] = ()
        self._known: dict[str, Parsed] = {}
        self._lock = Lock()

    def of(self, text: str) -> Parsed:
        with self._lock:
            if text not in self._known and self.parser is not None:
                texts = {one.text: None for file in self.files for one in file.statements}
                self._known |= self.parser.read([*(texts | {text: None})])
        return self._known.get(text) or Parsed(tree=None, mistake=None, tokens=())


def files(migrations: Iterable[Migration], database: Database, parser: Parser | None = None) -> tuple[File, ...]:
    """Each migration as a `File`; without a ``parser`` nothing is known of statements on ClickHouse."""
    readings = _Readings(parser)
    readings.files = tuple(File(migration, database, readings.of) for migration in migrations)
    return readings.files


def parser(session: Session) -> Parser:
    """The parser of ClickHouse that the targets of a run share."""
    return session.shared("ClickHouse's parser", lambda: Parser(clickhouse(session.say)))
