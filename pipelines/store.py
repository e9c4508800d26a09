"""What earlier runs left behind: each finished target's key and values, and the digests of folders."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from pipelines.display import say
from schemas.errors import GanderError
from tools import whole
from tools.sqlite import connect

__all__ = ["Store", "make_state_folder"]

LAST_WORD = "deps:"  # doit 0.37 sets it last when a task has succeeded (dependency.py, save_success)
VALUES = "_values_:"
BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
TABLES = """
create table if not exists task (name text primary key, entries text not null) without rowid;
create table if not exists folder (path text primary key, signature text not null, looked integer not null,
                                   digest text not null) without rowid;
"""
PREPARE = ("pragma journal_mode = wal", "pragma synchronous = normal", *filter(str.strip, TABLES.split(";")))
T = TypeVar("T")


def make_state_folder(folder: Path) -> None:
    """Make a state folder that keeps itself out of git; a folder that cannot be made is for its user to report."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            whole.replace(ignore, "*\n")


class Store:
    """The backend of doit over one SQLite file: a finished task is committed at once, and several runs may write.

    Nothing is opened before something is asked for; ``name`` says where, then. Tasks in ``uncached`` leave no trace,
    and nothing does with ``read_only``. Raises GanderError where the file cannot be read or written. A broken file is
    set aside: it holds nothing that the files and databases themselves do not say.
    """

    def __init__(
        self,
        name: Callable[[], Path],
        codec: object = None,
        *,
        module_name: str | None = None,
        read_only: bool = False,
    ) -> None:
        self.name = name
        self.codec, self.module_name = codec, module_name  # doit passes them to every backend
        self.read_only = read_only
        self.uncached: frozenset[str] = frozenset()
        self._pending: dict[str, dict[str, Any]] = {}
        self._opened: sqlite3.Connection | None = None
        self._inode = 0

    def get(self, task_id: str, key: str) -> Any:
        """One value of a task; None where nothing is kept."""
        if task_id in self._pending and key in self._pending[task_id]:
            return self._pending[task_id][key]
        return self._entries(task_id).get(key)

    def set(self, task_id: str, key: str, value: Any) -> None:
        """Gather a task's values; the last one of a success commits them all."""
        if task_id in self.uncached:
            return
        self._pending.setdefault(task_id, {})[key] = value
        if key == LAST_WORD:
            self._commit(task_id)

    def in_(self, task_id: str) -> bool:
        """Whether anything is kept of a task."""
        return task_id in self._pending or bool(self._entries(task_id))

    def remove(self, task_id: str) -> None:
        """Forget one task."""
        self._pending.pop(task_id, None)
        if task_id not in self.uncached and self.name().exists():
            self._write("delete from task where name = ?", (task_id,))

    def remove_all(self) -> None:
        """Forget every task."""
        self._pending.clear()
        self._write("delete from task", ())

    def dump(self) -> None:
        """Commit what is still gathered, and close."""
        for task_id in tuple(self._pending):
            self._commit(task_id)
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def values(self, names: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        """The values that the last success of each of these tasks saved, in one question."""
        wanted = list(names)
        query = "select name, entries from task where name in (select value from json_each(?))"
        rows = self._ask(query, (json.dumps(wanted),)) if wanted else []
        return {name: json.loads(entries).get(VALUES) or {} for name, entries in rows}

    def look(self, folder: str) -> tuple[str, int, str] | None:
        """Signature, time (ns) and digest of the last look at a folder."""
        rows = self._ask("select signature, looked, digest from folder where path = ?", (folder,))
        return rows[0] if rows else None

    def remember(self, folder: str, signature: str, looked: int, digest: str) -> None:
        """Keep a look at a folder."""
        self._write("insert or replace into folder values (?, ?, ?, ?)", (folder, signature, looked, digest))

    def _entries(self, task_id: str) -> dict[str, Any]:
        if task_id in self.uncached:
            return {}
        rows = self._ask("select entries from task where name = ?", (task_id,))
        entries: dict[str, Any] = json.loads(rows[0][0]) if rows else {}
        return entries

    def _commit(self, task_id: str) -> None:
        entries = {**self._entries(task_id), **self._pending.pop(task_id)}
        self._write("insert or replace into task values (?, ?)", (task_id, json.dumps(entries)))

    def _ask(self, query: str, arguments: tuple[Any, ...]) -> list[Any]:
        if self._opened is None and not self.name().exists():
            return []
        rows: list[Any] = self._on_whole_file(lambda: self._connection().execute(query, arguments).fetchall())
        return rows

    def _write(self, query: str, arguments: tuple[Any, ...]) -> None:
        if self.read_only:
            return
        self._on_whole_file(lambda: self._connection().execute(query, arguments))

    def _on_whole_file(self, use: Callable[[], T]) -> T:
        try:
            try:
                return use()
            except sqlite3.DatabaseError as error:
                if (getattr(error, "sqlite_errorcode", 0) & 0xFF) not in BROKEN:
                    raise
                self._set_aside(error)
                return use()
        except (sqlite3.Error, OSError) as error:
            raise GanderError(
                f"the state file cannot be used: {error}",
                where=str(self.name()),
                todo="make its folder writable and free some space, then run the command again",
            ) from error

    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            file = self.name()
            make_state_folder(file.parent)
            self._inode = file.stat().st_ino if file.exists() else 0
            self._opened = connect(file, PREPARE, isolation_level=None, check_same_thread=False)
            self._inode = file.stat().st_ino
        return self._opened

    def _set_aside(self, error: sqlite3.DatabaseError) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None
        file = self.name()
        aside = file.with_name(f"{file.name}.broken-{time.strftime('%Y%m%dT%H%M%S')}")
        with suppress(FileNotFoundError):
            if file.stat().st_ino != self._inode:  # another run has already begun a new one
                return
            for tail in ("-wal", "-shm"):  # first: a new file would take them for its own
                file.with_name(file.name + tail).unlink(missing_ok=True)
            file.rename(aside)
            say(f"{file} was broken ({error}): set aside as {aside.name}, begun anew")
