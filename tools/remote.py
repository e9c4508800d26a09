"""The door to the databases of other environments: they are looked at, never changed.

PostgreSQL is ``tools/postgres/remote.py``, ClickHouse is ``tools/clickhouse/remote.py``.
Values are named tuples, which start faster than dataclasses: see schemas/catalog.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from schemas.catalog import EngineName
from schemas.errors import ServerError
from schemas.remote_url import form, objection
from tools.engine import Row, Say

if TYPE_CHECKING:
    from schemas.structure import Structure

__all__ = ["Advice", "Place", "Reader", "Replica", "Sight", "Undone", "advised", "connect"]

Advice = Sequence[tuple[str, str]]
"""Words of a refusal, as a regular expression, and what to do; ``{variable}`` is the one that holds the URL."""


class Place(NamedTuple):
    """A database of another environment, and the variable that says how it is reached."""

    label: str  # identity-service/auth
    environment: str
    engine: EngineName
    name: str  # of the physical database, as services.yaml gives it
    table: str  # goose's version table, with its schema where that is not public
    variable: str
    url: str  # what the variable holds; it may have the password in it
    streams: frozenset[str] = frozenset()  # the version tables of all streams that build it
    clusters: frozenset[str] = frozenset()  # that the migrations name; ClickHouse only

    @property
    def called(self) -> str:
        """How messages call it."""
        return f"{self.label}@{self.environment}"

    @property
    def export(self) -> str:
        """The command that sets the variable."""
        return f"export {self.variable}='{form(self.engine, self.name)}'"


class Replica(NamedTuple):
    """What one server of an environment holds of goose's."""

    name: str  # HOST:PORT, as the cluster's configuration has it; empty for the only one that there is
    tables: Mapping[str, tuple[Row, ...]]  # as in `tools.engine.Contents`


class Sight(NamedTuple):
    """What was seen of one database: on every replica that could be asked."""

    replicas: tuple[Replica, ...]
    silent: tuple[str, ...] = ()  # replicas that there are, and that could not be looked at
    remarks: tuple[str, ...] = ()  # what could not be looked at, and why


class Undone(NamedTuple):
    """What a migration began, and the database has not brought to its end."""

    kind: Literal["index", "partitioned index", "constraint", "mutation", "distributed DDL"]
    name: str
    table: str  # or host
    says: str  # how it stands


class Reader(Protocol):
    """One database, open for reading. Every method raises ServerError when it cannot."""

    @property
    def version(self) -> str:
        """The server's version, as it says it."""

    def sight(self) -> Sight:
        """What goose's tables hold; ServerError where the place's own one may not be read."""

    def undone(self) -> tuple[Undone, ...]:
        """Invalid indexes, constraints that are not validated, mutations and distributed DDL that still run."""

    def dump(self, say: Say) -> str:
        """A baseline of what there is, of the first replica: all but rows, grants and goose's tables."""

    def structures(self) -> Mapping[str, Structure]:
        """Every object that there is, by the name of the replica, but for the version tables of all streams."""


@contextmanager
def connect(place: Place) -> Iterator[Reader]:
    """Open the database for reading, if the URL leads to it; ServerError with the way out where that fails."""
    from tools.shell import hide  # noqa: PLC0415 - start-up: only who looks elsewhere has a secret of it

    hide(place.url)
    if against := objection(place.engine, place.url, place.name):
        raise ServerError(
            f"{place.called} cannot be looked at: {place.variable} cannot be used", why=against, todo=place.export
        )
    with _opened(place) as reader:
        yield reader


def _opened(place: Place) -> AbstractContextManager[Reader]:
    if place.engine == "postgres":
        from tools.postgres import remote as postgres  # noqa: PLC0415 - start-up: only who looks there loads it

        return postgres.opened(place)
    from tools.clickhouse import remote as clickhouse  # noqa: PLC0415 - the same

    return clickhouse.opened(place)


@contextmanager
def advised(place: Place, advice: Iterable[tuple[str, str]]) -> Iterator[None]:
    """Have each error say what could not be looked at, the server's words below it, and the advice that fits them."""
    try:
        yield
    except ServerError as error:
        said = error.why or error.what
        todo = next((text for words, text in advice if re.search(words, said, re.IGNORECASE)), error.todo)
        raise ServerError(
            f"{place.called} cannot be looked at",
            why=said,
            todo=todo.format(variable=place.variable, name=place.name),
        ) from error
