"""What we applied where: hash and text of each migration in a local database, kept because goose keeps neither.

Values are named tuples, which start faster than dataclasses: see schemas/catalog.py.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple

from schemas.errors import ServerError
from tools.sqlite import connect

__all__ = ["Begun", "History", "Journal", "Record", "now"]

SCHEMA = """
create table if not exists applied (
    place text, goose_table text, version integer, name text, sha256 text, body blob, at text,
    primary key (place, goose_table, version)
) without rowid;
create table if not exists begun (
    place text, goose_table text, version integer, name text, sha256 text, body blob, at text,
    indexes text, done integer,
    primary key (place, goose_table, version)
) without rowid;
create table if not exists undoing (
    place text, goose_table text, version integer, primary key (place, goose_table, version)
) without rowid;
"""
PREPARE = (
    "pragma journal_mode = wal",
    "pragma synchronous = full",  # it outlives a power cut as the database itself does
    *filter(str.strip, SCHEMA.split(";")),
)
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class History(NamedTuple):
    """Whose history: a physical database (its creation mark, or server and name) and goose's version table in it."""

    place: str
    table: str


class Record(NamedTuple):
    """A migration as it was when the database got it, or when we first saw it there."""

    version: int
    name: str
    sha256: str
    body: bytes
    at: str  # ISO 8601, UTC


class Begun(NamedTuple):
    """A migration that was handed to goose and was not recorded by it.

    ``indexes`` are those that existed before; ``done`` counts its statements that were done, None where nobody saw.
    """

    record: Record
    indexes: frozenset[str]
    done: int | None = None


class Journal:
    """The journal file of one monorepo; every call is one committed transaction, safe between processes and threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._keeps = False
        self._kept: sqlite3.Connection | None = None

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Use one connection for the length of the context, made when first needed: for one thread that asks often."""
        self._keeps = True
        try:
            yield
        finally:
            self._keeps = False
            if self._kept:
                self._kept.close()
                self._kept = None

    def records(self, history: History) -> dict[int, Record]:
        """What is recorded as applied, by version."""
        query = "select version, name, sha256, body, at from applied where place = ? and goose_table = ?"
        return {
            version: Record(version=version, name=name, sha256=sha256, body=body, at=at)
            for version, name, sha256, body, at in self._ask(query, history)
        }

    def hashes(self, history: History) -> dict[int, tuple[str, str]]:
        """Name and hash of each applied version, without the texts."""
        query = "select version, name, sha256 from applied where place = ? and goose_table = ?"
        return {version: (name, sha256) for version, name, sha256 in self._ask(query, history)}

    def begun(self, history: History) -> dict[int, Begun]:
        """What was begun and neither recorded nor given up, by version."""
        query = "select version, name, sha256, body, at, indexes, done from begun where place = ? and goose_table = ?"
        return {
            version: Begun(
                record=Record(version=version, name=name, sha256=sha256, body=body, at=at),
                indexes=frozenset(indexes.split("\n")) - {""},
                done=done,
            )
            for version, name, sha256, body, at, indexes, done in self._ask(query, history)
        }

    def begin(self, history: History, records: Iterable[Record], indexes: Iterable[str]) -> None:
        """Note, before goose starts, which files it is about to run.

        A version that was begun earlier keeps the indexes of that time: what came since may be its own.
        """
        listed = "\n".join(sorted(indexes))
        rows = [(history.place, history.table, r.version, r.name, r.sha256, r.body, r.at, listed) for r in records]
        with self._file() as file, file:
            file.executemany(
                "insert into begun values (?, ?, ?, ?, ?, ?, ?, ?, null) on conflict do update"
                " set name = excluded.name, sha256 = excluded.sha256, body = excluded.body, at = excluded.at,"
                " done = null",
                rows,
            )

    def undoing(self, history: History) -> frozenset[int]:
        """The versions that an interrupted run may have left half undone."""
        query = "select version from undoing where place = ? and goose_table = ?"
        return frozenset(version for (version,) in self._ask(query, history))

    def undo(self, history: History, versions: Iterable[int]) -> None:
        """Note, before goose takes them down, which versions have no transaction that would undo a half."""
        with self._file() as file, file:
            file.executemany(
                "insert or ignore into undoing values (?, ?, ?)",
                [(history.place, history.table, version) for version in versions],
            )

    def undone(self, history: History, versions: Iterable[int]) -> None:
        """Note that nothing of these versions is half undone."""
        with self._file() as file, file:
            file.executemany(
                "delete from undoing where place = ? and goose_table = ? and version = ?",
                [(history.place, history.table, version) for version in versions],
            )

    def halted(self, history: History, version: int, done: int) -> None:
        """Note how many statements of a begun file were done when it failed."""
        with self._file() as file, file:
            file.execute(
                "update begun set done = ? where place = ? and goose_table = ? and version = ?",
                (done, history.place, history.table, version),
            )

    def settle(self, history: History, applied: Mapping[int, Record], *, given_up: Iterable[int] = ()) -> None:
        """Make the records equal to what the database holds: ``applied`` replaces all, and ends what was begun.

        ``given_up`` are begun versions that left nothing behind.
        """
        key = (history.place, history.table)
        with self._file() as file, file:
            file.execute("delete from applied where place = ? and goose_table = ?", key)
            file.executemany(
                "insert into applied values (?, ?, ?, ?, ?, ?, ?)",
                [(*key, r.version, r.name, r.sha256, r.body, r.at) for r in applied.values()],
            )
            file.executemany(
                "delete from begun where place = ? and goose_table = ? and version = ?",
                [(*key, version) for version in {*applied, *given_up}],
            )

    def forget(self, place: str) -> None:
        """Forget a database that is gone."""
        with self._file() as file, file:
            file.execute("delete from applied where place = ?", (place,))
            file.execute("delete from begun where place = ?", (place,))
            file.execute("delete from undoing where place = ?", (place,))

    def _ask(self, query: str, history: History) -> list[tuple[Any, ...]]:
        if not self.path.exists():
            return []
        with self._file() as file:
            return file.execute(query, (history.place, history.table)).fetchall()

    @contextmanager
    def _file(self) -> Iterator[sqlite3.Connection]:
        """The connection that is kept, or one that is closed after use; what SQLite refuses becomes a ServerError."""
        try:
            if self._keeps:
                self._kept = self._kept or self._open()
                yield self._kept
                return
            with closing(self._open()) as file:
                yield file
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _open(self) -> sqlite3.Connection:
        with suppress(OSError):  # SQLite words it
            self.path.parent.mkdir(parents=True, exist_ok=True)
        return connect(self.path, PREPARE)

    def _unusable(self, error: sqlite3.Error) -> ServerError:
        todo = "make its folder writable and free some space, then run the command again"
        if (getattr(error, "sqlite_errorcode", 0) & 0xFF) in DAMAGED:
            path = str(self.path)
            todo = f"mv {quote(path)} {quote(path + '.damaged')}\nrm -f {quote(path + '-wal')} {quote(path + '-shm')}"
            todo += "\nthen run the command again: applied files are taken as they are on disk"
        what = "the journal of applied migrations cannot be used"
        return ServerError(what, where=str(self.path), why=str(error), todo=todo)


def now() -> str:
    """This moment, ISO 8601 in UTC with seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")
