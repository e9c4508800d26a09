"""A PostgreSQL server that answers: what the steps ask of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.errors import Refused, ServerError
from tools import mark
from tools.engine import Baseline, Contents, Diagnosis, Guest, Index, Losses, Say, Staged
from tools.postgres import contents, diagnosis, losses
from tools.postgres.connection import Address, worded

if TYPE_CHECKING:
    import psycopg

    from schemas.structure import Structure

    Connection = psycopg.Connection[tuple[Any, ...]]

__all__ = ["Connected"]

PAUSE = 0.1  # seconds between two looks at what we wait for
GOOSE = "gander goose"  # how the application names of goose's sessions begin

TRY_LOCK = "SELECT pg_try_advisory_lock(%s)"
ENDING = "about to end"  # a holder that has left between two looks
HOLDER = """
SELECT a.pid, a.application_name, to_char(a.backend_start, 'HH24:MI:SS TZ')
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.classid::bigint << 32 | l.objid::bigint = %s
"""
ORPHANS = """
SELECT pid, application_name, to_char(coalesce(query_start, backend_start), 'HH24:MI:SS TZ') FROM pg_stat_activity
WHERE datname = %s AND starts_with(application_name, %s) ORDER BY backend_start
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """A reachable server.

    Each call makes connections of its own, so that threads do not meet; but one that is about a database whose lock is
    held speaks to the server over the lock's connection, where that does.
    """

    address: Address
    version: str
    embedded: bool
    log: Path | None  # the folder of the server's JSON log, where we can read it
    locks: dict[str, Connection] = field(default_factory=dict, init=False, repr=False)  # by database

    def url(self, database: str, *, application: str) -> str:
        """The URL that goose takes, password included: for an environment variable, never for argv or a log."""
        return self.address.to(database, application)

    def contents(self, databases: Iterable[str]) -> dict[str, Contents]:
        """Look at these databases, together; a missing one is ``exists=False``."""
        names = tuple(databases)
        with self._maintenance(*names) as connection:
            marks = contents.marks(connection)
        return contents.look(self.address, names, marks)

    @contextmanager
    def exclusive(self, database: str, say: Say) -> Iterator[None]:
        """Hold the one lock of a database, after whoever holds it and any orphaned goose session has ended."""
        key = int.from_bytes(sha256(f"gander/{database}".encode()).digest()[:8], signed=True)
        with self.address.connect(application=f"gander run {os.getpid()}") as connection:
            self._wait(
                lambda: "" if _scalar(connection, TRY_LOCK, key) else _who(connection, HOLDER, key) or ENDING,
                lambda who: say(f"waiting for {database}: another run works on it ({who})"),
            )
            self._wait(
                lambda: _who(connection, ORPHANS, database, GOOSE),
                lambda who: say(f"waiting for {database}: an earlier goose is still at work ({who})"),
            )
            self.locks[database] = connection
            try:
                yield
            finally:
                del self.locks[database]
            # a lock that was lost with its connection has protected nothing: the caller must hear of it
            if not _scalar(connection, "SELECT pg_advisory_unlock(%s)", key):
                raise ServerError(f"the lock of {database} was lost while it was in use", todo=self.address.todo)

    def create(self, database: str, baseline: Baseline | None) -> str:
        """Create the database with our mark unless it exists; return the mark ('' for somebody else's database).

        It is made, filled and marked under a temporary name: a crash in between leaves nothing that looks like the
        user's. Raises MigrationFailed where the baseline cannot be loaded.
        """
        from psycopg.sql import SQL, Identifier, Literal  # noqa: PLC0415 - start-up: as psycopg itself

        temporary = f"gander_new_{sha256(database.encode()).hexdigest()[:16]}"
        name, fresh = Identifier(database), Identifier(temporary)
        with self._maintenance(database) as connection:
            known = contents.marks(connection)
            if database in known:
                return known[database] or ""
            given = mark.fresh(baseline)
            connection.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(fresh))
            connection.execute(SQL("CREATE DATABASE {} TEMPLATE template0").format(fresh))
            connection.execute(SQL("COMMENT ON DATABASE {} IS {}").format(fresh, Literal(given)))
            if baseline:
                self._load(temporary, baseline)
            connection.execute(SQL("ALTER DATABASE {} RENAME TO {}").format(fresh, name))
        return given

    def drop(self, database: str) -> None:
        """Drop a database that carries our mark and end its sessions; Refused for any other; a missing one is fine."""
        from psycopg.sql import SQL, Identifier  # noqa: PLC0415 - start-up: as psycopg itself

        with self.address.connect() as connection:
            known = contents.marks(connection)
            if database not in known:
                return
            if not known[database]:
                quoted = Identifier(database).as_string(connection)
                raise Refused(
                    f"the database {database} was not made by us, so it is not dropped",
                    todo=f"if nobody needs it, drop it yourself, in psql: DROP DATABASE {quoted};",
                )
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(database)))

    def guest(self, database: str) -> AbstractContextManager[Guest]:
        """A role for a database that is not there yet; who has made the database drops it before the role goes."""
        from tools.postgres.guest import guest  # noqa: PLC0415 - start-up: only a rehearsal has guests

        return guest(self, database)

    def staged(self, files: Mapping[str, bytes], environment: Mapping[str, str]) -> Staged:  # noqa: ARG002 - the door's
        """The files as they are."""
        return Staged(texts=files)

    def repeatable(self, statements: Iterable[str]) -> tuple[bool | None, ...]:
        """None for each: only the statement's author knows."""
        return tuple(None for _ in statements)

    def finish_version_table(self, database: str, table: str) -> bool:  # noqa: ARG002 - the door's signature
        """False: goose makes the table and its first row in one transaction."""
        return False

    def dump(self, database: str, without: Collection[str], say: Say) -> str:
        """A baseline of the database as it is: all but its rows, grants and the version tables ``without``."""
        from tools.postgres import dump  # noqa: PLC0415 - start-up: only who writes a baseline needs it

        return dump.dump(self.address.to(database, "gander"), without, say)

    def rows(self, database: str) -> dict[str, int]:
        """Exact row counts of the user's tables that hold any row, by name."""
        return losses.rows(self.address, database)

    def structure(self, database: str, without: Collection[str]) -> Structure:
        """Every object that migrations may have made, but for the version tables ``without``."""
        from tools.postgres import structure  # noqa: PLC0415 - start-up: only a test or a comparison reads it

        with self.address.connect(database) as connection:
            return structure.read(connection, without)

    def canonical(self, structure: Structure) -> Structure:
        """The same: PostgreSQL words every definition anew."""
        return structure

    def try_down(self, database: str, statements: Iterable[str]) -> Losses:
        """Run statements in one transaction that is rolled back; say what they would take away."""
        return losses.try_down(self.address, database, statements)

    def diagnose(self, application: str) -> Diagnosis | None:
        """The last failed statement of that application's sessions; None without a log that we can read."""
        return diagnosis.last(self.log, application) if self.log else None

    def indexes(self, database: str) -> tuple[Index, ...]:
        """Every index that a user's table has and no constraint owns."""
        return contents.indexes(self.address, database)

    def drop_indexes(self, database: str, indexes: Iterable[Index]) -> None:
        """Drop these indexes without blocking writers."""
        from psycopg.sql import SQL  # noqa: PLC0415 - start-up: as psycopg itself

        with self.address.connect(database, lock_timeout="30s") as connection:
            for index in indexes:
                name = SQL(index.qualified)  # quoted by the server that told it
                connection.execute(SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(name))

    def _load(self, database: str, baseline: Baseline) -> None:
        from tools.postgres import dump  # noqa: PLC0415 - start-up: only a new database with a baseline needs it

        with self.address.connect(database) as connection:
            dump.load(connection, baseline)

    @contextmanager
    def _maintenance(self, *databases: str) -> Iterator[Connection]:
        """A connection from which databases are seen and made: that of the only one's lock, if it is held and alive."""
        held = self.locks.get(databases[0]) if len(databases) == 1 else None
        if held and _alive(held):
            with worded(databases[0], self.address.todo, self.address.disk):
                yield held
        else:
            with self.address.connect() as connection:
                yield connection

    def _wait(self, look: Callable[[], str], tell: Callable[[str], None]) -> None:
        """Look until there is nobody to wait for; tell once for each that we wait for."""
        told = ""
        while who := look():
            if who != told and not (told and who == ENDING):
                tell(who)
                told = who
            time.sleep(PAUSE)


def _alive(connection: Connection) -> bool:
    """Whether the server still answers: after a crash it is back, and the old connections are not."""
    from psycopg import OperationalError  # noqa: PLC0415 - start-up: as psycopg itself

    try:
        connection.execute("SELECT")
    except OperationalError:
        return False
    return True


def _scalar(connection: Connection, query: str, *values: object) -> Any:
    row = connection.execute(query, values).fetchone()
    return row[0] if row else None


def _who(connection: Connection, query: str, *values: object) -> str:
    """The sessions that a query names, in words; somebody who has left meanwhile has no name."""
    rows = connection.execute(query, values).fetchall()
    return ", ".join(f"{application or 'unnamed'}, session {pid}, since {since}" for pid, application, since in rows)
