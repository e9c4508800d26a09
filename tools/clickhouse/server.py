"""A ClickHouse server that answers: what the steps ask of it."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import Refused, ServerError
from tools import mark
from tools.clickhouse import contents
from tools.clickhouse.connection import Address, identifier, string
from tools.engine import Baseline, Contents, Diagnosis, Guest, Index, Losses, Say, Staged, Way
from tools.lease import Lock
from tools.ports import from_container

if TYPE_CHECKING:
    from schemas.structure import Structure

__all__ = ["Connected"]

PAUSE = 0.1  # seconds between two looks at what we wait for
DROPPING = 600.0  # seconds: a drop waits for statements that use the tables
GOOSE = "gander goose"  # how the application names of goose's sessions begin

ORPHANS = """
SELECT Settings['log_comment'], query_id FROM system.processes
WHERE current_database = {database} AND startsWith(Settings['log_comment'], {goose}) ORDER BY query_id
"""
UNTRIED = "not tried beforehand, as ClickHouse has no transactions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """A reachable server; each call makes connections of its own, so that threads do not meet."""

    address: Address
    version: str
    embedded: bool
    locks: Path  # the folder of the locks on its databases: ClickHouse has none

    def url(self, database: str, *, application: str) -> str:
        """The URL that goose takes, password included: for an environment variable, never for argv or a log."""
        return self.address.to(database, application)

    def contents(self, databases: Iterable[str]) -> dict[str, Contents]:
        """Look at these databases, together; a missing one is ``exists=False``."""
        return contents.look(self.address, databases)

    @contextmanager
    def exclusive(self, database: str, say: Say) -> Iterator[None]:
        """Hold the one lock of a database, after whoever holds it and any orphaned goose session has ended."""
        try:
            self.locks.mkdir(parents=True, exist_ok=True)
            lock = Lock(self.locks / f"{sha256(database.encode()).hexdigest()[:16]}.lock")
        except OSError as error:
            raise ServerError(
                f"{database} cannot be locked: {error.filename or self.locks} cannot be written",
                why=error.strerror or "",
                todo=f"make {self.locks} writable, with space on its disk",
            ) from error
        with lock.held(waiting=lambda: say(f"waiting for {database}: another run works on it")):
            told = ""
            while who := self._orphans(database):
                if who != told:
                    say(f"waiting for {database}: an earlier goose is still at work ({who})")
                    told = who
                time.sleep(PAUSE)
            yield

    def create(self, database: str, baseline: Baseline | None) -> str:
        """Create the database with our mark unless it exists; return the mark ('' for somebody else's database).

        One whose baseline was interrupted is made anew. Raises MigrationFailed where the baseline cannot be loaded.
        """
        held = contents.marks(self.address)
        if (held.get(database) or "").endswith(mark.LOADING):
            self.drop(database)
        elif database in held:
            return held[database] or ""
        given = mark.fresh(baseline)
        first = string(given + mark.LOADING if baseline else given)
        self.address.query(f"CREATE DATABASE {identifier(database)} ENGINE = Atomic COMMENT {first}")
        if baseline:
            from tools.clickhouse.dump import load  # noqa: PLC0415 - start-up: only a new database with a baseline

            try:
                load(self, database, baseline)
            except BaseException:
                self.drop(database)
                raise
            self.address.query(f"ALTER DATABASE {identifier(database)} MODIFY COMMENT {string(given)}")
        return given

    def drop(self, database: str) -> None:
        """Drop a database that carries our mark; Refused for any other; a missing one is fine."""
        known = contents.marks(self.address)
        if database not in known:
            return
        if not known[database]:
            raise Refused(
                f"the database {database} was not made by us, so it is not dropped",
                todo=f"if nobody needs it, drop it yourself: DROP DATABASE {identifier(database)}",
            )
        self.address.query(f"DROP DATABASE IF EXISTS {identifier(database)} SYNC", patience=DROPPING)

    @contextmanager
    def guest(self, database: str) -> Iterator[Guest]:
        """This server's own user: ClickHouse knows no owners, and the embedded one keeps no other users."""
        yield Guest(
            server=self,
            lower=lambda: None,
            way=lambda application: Way(url=from_container(self.url(database, application=application))),
        )

    def staged(self, files: Mapping[str, bytes], environment: Mapping[str, str]) -> Staged:
        """The files without their cluster clauses, proved statement by statement, unless the server has a Keeper."""
        from tools.clickhouse.localize import localize  # noqa: PLC0415 - start-up: only where something is applied
        from tools.clickhouse.proof import NotProvable  # noqa: PLC0415 - the same

        if not self.embedded and self._has_keeper():
            return Staged(texts=files)
        found = localize(files, self.address.query, environment)
        remarks = []
        for one in found.outcomes:
            told = one.obstacle if self.embedded else ""
            said = [f"cannot run here, and is not proved by a local run: {told}"] if told else []
            if one.changed and isinstance(one.verdict, NotProvable):
                said.append(f"not proved to be the same without its cluster: {one.verdict.reason}")
            remarks += [f"{one.file}:{one.line}: {text}" for text in said]
        return Staged(texts=found.texts, remarks=tuple(remarks))

    def repeatable(self, statements: Iterable[str]) -> tuple[bool | None, ...]:
        """Whether each statement says what to do when its work is done already (IF NOT EXISTS, IF EXISTS, MODIFY …)."""
        from tools.clickhouse.repeat import repeatable  # noqa: PLC0415 - start-up: only after an interrupted run

        return repeatable(tuple(statements), self.address.query)

    def finish_version_table(self, database: str, table: str) -> bool:
        """Give goose's version table its first row where goose was stopped in between; whether that was needed."""
        return contents.finish_version_table(self.address, database, table)

    def dump(self, database: str, without: Collection[str], say: Say) -> str:  # noqa: ARG002 - the door's signature
        """A baseline of the database as it is: all but its rows and the version tables ``without``."""
        from tools.clickhouse.dump import written  # noqa: PLC0415 - start-up: only who writes a baseline needs it

        return written(self.structure(database, without))

    def rows(self, database: str) -> dict[str, int]:
        """Exact row counts of the user's tables that hold any row, by name."""
        return contents.rows(self.address, database)

    def structure(self, database: str, without: Collection[str]) -> Structure:
        """Every object that migrations may have made, but for the version tables ``without``."""
        from tools.clickhouse import structure as module  # noqa: PLC0415 - start-up: only a test or a comparison reads it

        return module.read(self.address, database, without)

    def canonical(self, structure: Structure) -> Structure:
        """What another server said of its objects, as this one would say it: without clusters, in its own format."""
        from tools.clickhouse import structure as module  # noqa: PLC0415 - the same

        return module.canonical(structure, self.address)

    def try_down(self, database: str, statements: Iterable[str]) -> Losses:
        """Name the version tables that would go; what rows would, nobody can try: no statement can be undone here."""
        from tools.clickhouse.doomed import doomed  # noqa: PLC0415 - start-up: only a rollback asks

        texts = tuple(statements)
        held = contents.look(self.address, [database])[database].tables if texts else {}
        gone = doomed(texts, database, held, self.address.query)
        return Losses(
            tables={table: len(held[table]) for table in gone},
            untried=(UNTRIED,) if texts and self.rows(database) else (),
        )

    def diagnose(self, application: str) -> Diagnosis | None:  # noqa: ARG002 - the door's signature
        """None: goose passes on all that the server says."""
        return None

    def indexes(self, database: str) -> tuple[Index, ...]:  # noqa: ARG002 - the door's signature
        """None: an index of ClickHouse is part of its table's definition."""
        return ()

    def drop_indexes(self, database: str, indexes: Iterable[Index]) -> None:
        """Drop nothing: `indexes` lists none."""

    def _has_keeper(self) -> bool:
        try:
            self.address.query("SELECT name FROM system.zookeeper WHERE path = '/' LIMIT 1")
        except ServerError:
            return False
        return True

    def _orphans(self, database: str) -> str:
        """The statements of goose that run in the database, in words."""
        found = self.address.query(ORPHANS.format(database=string(database), goose=string(GOOSE)))
        return ", ".join(f"{application}, query {query}" for application, query in found)
