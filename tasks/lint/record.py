"""What earlier runs found in the same files: kept by content, so that nothing is parsed a second time."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cache
from hashlib import sha256
from itertools import starmap
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple, TypeVar

from tasks.lint.finding import Edit, Finding
from tasks.lint.schema.change import Change, Column, Constraint, Index, Relation
from tools.sqlite import connect

__all__ = ["Record", "Records", "key", "program"]

KINDS: dict[str, Any] = {one.__name__: one for one in (Column, Constraint, Index)}
Made = TypeVar("Made")
VALUE, FIX = Change._fields.index("value"), Finding._fields.index("fix")
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
            with suppress(ValueError, LookupError, TypeError):
                found[name] = _read(body)
        return found

    def write(self, found: Mapping[str, Record]) -> None:
        """Keep records, and let go those that nobody has used for long."""
        if found:
            now = int(time.time())
            rows = [[name, _written(one), now] for name, one in found.items()]
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


def _written(record: Record) -> str:
    """A record as JSON, in which named tuples are lists; which kind a change's value is of stands before it."""
    changes: list[list[Any]] = [list(one) for one in record.changes]
    for row in changes:
        if row[VALUE]:
            row[VALUE] = (type(row[VALUE]).__name__, row[VALUE])
    return json.dumps((record.findings, changes))


def _read(body: str) -> Record:
    findings, changes = json.loads(body)
    for row in findings:
        row[FIX] = tuple(starmap(Edit, row[FIX]))
    for row in changes:
        if row[VALUE]:
            kind, parts = row[VALUE]
            row[VALUE] = _relation(parts) if kind == "Relation" else _made(KINDS[kind], parts)
    return Record(tuple(starmap(Finding, findings)), tuple(starmap(Change, changes)))


def _relation(parts: list[Any]) -> Relation:
    made = _made(Relation, parts)
    constraints = tuple(_made(Constraint, one) for one in made.constraints)
    return made._replace(columns=tuple(_made(Column, one) for one in made.columns), constraints=constraints)


def _made(kind: Callable[..., Made], parts: Iterable[Any]) -> Made:
    """A named tuple whose lists are tuples."""
    return kind(*(tuple(one) if isinstance(one, list) else one for one in parts))
