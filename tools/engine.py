"""The door to a database engine: what a step may ask of PostgreSQL or ClickHouse, and the values it gets.

PostgreSQL is ``tools/postgres``. A further engine is one more package that offers the same `Engine`.
Values are named tuples, which start faster than dataclasses: see schemas/catalog.py.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from schemas.catalog import EngineName

if TYPE_CHECKING:
    from schemas.structure import Structure

__all__ = [
    "Baseline",
    "Contents",
    "Diagnosis",
    "Engine",
    "Guest",
    "Index",
    "Losses",
    "Row",
    "Say",
    "Server",
    "Staged",
    "Way",
]

Say = Callable[[str], None]
"""Takes one line of progress for the user."""


class Baseline(NamedTuple):
    """What a database holds before its first migration: SQL that makes it, in the engine's own words."""

    path: str  # as messages call it
    text: bytes

    @property
    def sha256(self) -> str:
        """The hash of the text."""
        return sha256(self.text).hexdigest()

    @property
    def migration(self) -> bytes:
        """The text as a migration, whose statements end where goose ends them: each line is one further down."""
        return b"-- +goose Up\n" + self.text


class Row(NamedTuple):
    """A version that a goose table holds as applied (goose 3.27.3: the newest row of a version decides)."""

    version: int
    at: datetime | None  # aware; None where the server does not say


class Contents(NamedTuple):
    """What one physical database holds of goose's, by a running server or proved from a stopped one's files."""

    exists: bool
    tables: Mapping[str, tuple[Row, ...]]  # goose tables by name (schema.name outside public) -> rows, ascending
    mark: str | None = None  # our creation mark; None: somebody else made the database


class Diagnosis(NamedTuple):
    """What a server knows about a failed statement beyond the text that goose passes on."""

    code: str  # SQLSTATE or ClickHouse code
    message: str
    statement: str
    position: int | None = None  # 1-based character in ``statement``
    detail: str = ""
    hint: str = ""
    context: str = ""


class Index(NamedTuple):
    """An index of a user's table; not ``valid`` when a CREATE INDEX CONCURRENTLY was interrupted or failed."""

    name: str  # bare
    qualified: str  # with its schema, quoted as SQL needs it
    table: str
    valid: bool


class Losses(NamedTuple):
    """What a change would take away: tables with their row counts; columns that hold values."""

    tables: Mapping[str, int]
    columns: tuple[str, ...] = ()
    untried: tuple[str, ...] = ()  # why some part could not be tried beforehand


class Staged(NamedTuple):
    """Migration files as a server can run them, line for line, and what that leaves unproved or cannot work there."""

    texts: Mapping[str, bytes]
    remarks: tuple[str, ...] = ()  # "FILE:LINE: …"


class Way(NamedTuple):
    """How a container of this machine reaches a database: a URL, password included, and the socket that it is by."""

    url: str
    socket: tuple[Path, str] | None = None  # here, and where the container is to see it; None: over the host's network


class Guest(NamedTuple):
    """A role for one database, which owns what it makes there."""

    server: Server  # as that role
    lower: Callable[[], None]  # leave it the rights of an owner alone
    way: Callable[[str], Way]  # for a container, by the application's name


class Server(Protocol):
    """One reachable server, safe to use from several threads. Every method raises ServerError when it cannot."""

    @property
    def version(self) -> str:
        """The server's version, as it says it."""

    @property
    def embedded(self) -> bool:
        """Whether we run it, or the user does."""

    def url(self, database: str, *, application: str) -> str:
        """The URL that goose takes, password included: for an environment variable, never for argv or a log."""

    def contents(self, databases: Iterable[str]) -> dict[str, Contents]:
        """Look at these databases, together; a missing one is ``exists=False``."""

    def exclusive(self, database: str, say: Say) -> AbstractContextManager[None]:
        """Hold the one lock of a database, after whoever holds it and any orphaned goose session has ended."""

    def create(self, database: str, baseline: Baseline | None) -> str:
        """Create the database with our mark unless it exists; return the mark ('' for somebody else's database).

        It comes whole, with its baseline, or not at all. Raises MigrationFailed where the baseline cannot be loaded.
        """

    def dump(self, database: str, without: Collection[str], say: Say) -> str:
        """A baseline of the database as it is: all but its rows, grants and the version tables ``without``."""

    def drop(self, database: str) -> None:
        """Drop a database that carries our mark; Refused for any other."""

    def guest(self, database: str) -> AbstractContextManager[Guest]:
        """A role for a database that is not there yet; who has made the database drops it before the role goes."""

    def staged(self, files: Mapping[str, bytes], environment: Mapping[str, str]) -> Staged:
        """The files as goose shall run them here; ``environment`` is what ENVSUB sees. Refused where it is not sure."""

    def repeatable(self, statements: Iterable[str]) -> tuple[bool | None, ...]:
        """Whether each statement can run again after it has been done; None where nobody can tell."""

    def finish_version_table(self, database: str, table: str) -> bool:
        """Give goose's version table its first row where goose was stopped in between; whether that was needed."""

    def rows(self, database: str) -> dict[str, int]:
        """Exact row counts of the user's tables that hold any row, by name."""

    def structure(self, database: str, without: Collection[str]) -> Structure:
        """Every object that migrations may have made, but for the version tables ``without``."""

    def canonical(self, structure: Structure) -> Structure:
        """What another server said of its objects, as this one would say it: without clusters, in its own format."""

    def try_down(self, database: str, statements: Iterable[str]) -> Losses:
        """Run statements in one transaction that is rolled back; say what they would take away."""

    def diagnose(self, application: str) -> Diagnosis | None:
        """The last failed statement of that application's sessions, when the server's log tells."""

    def indexes(self, database: str) -> tuple[Index, ...]:
        """Every index that a user's table has and no constraint owns; none on an engine without such indexes."""

    def drop_indexes(self, database: str, indexes: Iterable[Index]) -> None:
        """Drop these indexes without blocking writers."""


class Engine(Protocol):
    """One engine in the local environment: embedded, or the user's own server on this machine."""

    name: EngineName
    driver: str  # GOOSE_DRIVER

    def settled(self, say: Say) -> Mapping[str, Contents] | None:
        """What the databases hold, proved from a stopped server's files alone; None: the server must be asked.

        A server that nobody uses any more is waited for until it has stopped.
        """

    def serve(self, say: Say) -> AbstractContextManager[Server]:
        """A running server for as long as the context lasts; started when it is not running yet."""

    def start(self, say: Say) -> Server:
        """Keep the server running until `stop`, also after this process ends."""

    def stop(self, say: Say) -> bool:
        """Stop the server once nobody uses it; False when it was not running."""

    def running(self) -> bool:
        """Whether the embedded server is up; starts nothing. True for the user's own server."""
