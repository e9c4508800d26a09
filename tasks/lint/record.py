"""What earlier runs found in the same files: kept by content, so that nothing is parsed a second time."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from tasks.lint.finding import Edit, Finding
from tasks.lint.schema.change import Change, Column, Constraint, Index, Relation
from tools.sqlite import connect

__all__ = ["Record", "Records", "key", "program"]

KINDS: dict[str, Any] = {one.__name__: one for one in (Change, Column, Constraint, Edit, Finding, Index, Relation)}
PREPARE = (
    "pragma journal_mode = wal",
    "pragma synchronous = normal",
    "create table if not exists record (key text primary key, body text not null, used integer not null) without rowid",
)
KEPT = 90 * 24 * 3600  # seconds that a record stays after its last use
HOME = Path(__file__).parents[2]
MADE_OF = (
    "tasks/lint/**/*.py",
    "schemas/*.py",
    "tools/clickhouse/*.py",
    "tools/postgres/syntax.py",
    "tools/locks/*.txt",
)


class Record(NamedTuple):
    """What a look at one file gave."""

    findings: tuple[Finding, ...]
    changes: tuple[Change, ...] = ()  # what its Up does to the schema


class Records:
    """The file of records. It only saves time: where it cannot be read or written, everything is looked at anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self._file: sqlite3.Connection | None = None
        self._gone = False

    def read(self, keys: Iterable[str]) -> dict[str, Record]:
        """The records under these keys, as far as there are any."""
        query = "select key, body from record where key in (select value from json_each(?))"
        rows = self._do(query, json.dumps(list(keys)))
        found = {}
        for name, body in rows:
            with suppress(ValueError, KeyError, TypeError):
                found[name] = Record(*_read(json.loads(body)))
        return found

    def write(self, found: Mapping[str, Record]) -> None:
        """Keep records, and let go those that nobody has used for long."""
        if found:
            now = int(time.time())
            rows = [[name, json.dumps(_plain(list(one))), now] for name, one in found.items()]
            insert = "insert or replace into record select value->>0, value->>1, value->>2 from json_each(?)"
            self._do(insert, json.dumps(rows))
            self._do("delete from record where used < cast(? as integer)", str(now - KEPT))

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _do(self, query: str, argument: str) -> list[Any]:
        with self._lock:
            if self._gone:
                return []
            try:
                if self._file is None:
                    how = {"isolation_level": None, "check_same_thread": False}
                    self._file = connect(self.path, PREPARE, **how)
                return self._file.execute(query, (argument,)).fetchall()
            except (sqlite3.Error, OSError):
                self._gone = True
                return []


def key(*parts: object) -> str:
    """One digest over parts whose representations tell them apart."""
    return sha256(repr(parts).encode(errors="surrogateescape")).hexdigest()


@cache
def program() -> str:
    """A digest of everything that makes findings: the rules, the readers, and the versions of the parsers."""
    whole = sha256()
    for pattern in MADE_OF:
        for file in sorted(HOME.glob(pattern)):
            whole.update(f"{file.relative_to(HOME)}\0".encode() + sha256(file.read_bytes()).digest())
    return whole.hexdigest()


def _plain(value: Any) -> Any:
    """A value as JSON has it; of ours the name of its kind goes first."""
    if isinstance(value, tuple | list):
        name = type(value).__name__
        inner = [_plain(one) for one in value]
        return [name, *inner] if name in KINDS else ["", *inner]
    return value


def _read(value: Any) -> Any:
    if isinstance(value, list):
        name, *inner = value
        read = [_read(one) for one in inner]
        return KINDS[name](*read) if name else tuple(read)
    return value
