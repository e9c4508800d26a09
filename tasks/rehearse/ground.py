"""A scratch database that stands where an environment's does, and the way to it for one container."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from schemas.catalog import Database
from schemas.errors import MigrationFailed
from schemas.target import LOCAL
from tasks import scratch
from tasks.migrate.site import Site
from tasks.work import Work
from tools.engine import Baseline, Guest

__all__ = ["Ground", "ground"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The database, and the role that the container gets: an owner without more rights, on PostgreSQL."""

    site: Site  # as that role
    guest: Guest

    @property
    def tables(self) -> Mapping[str, frozenset[int]]:
        """The versions that goose's tables hold now."""
        return {name: frozenset(row.version for row in rows) for name, rows in self.site.look().tables.items()}


@contextmanager
def ground(work: Work, streams: scratch.Streams, name: str, baseline: Baseline | None) -> Iterator[Ground]:
    """A database of that name which the first of the streams is about: the baseline, and each stream's files on top.

    Nothing is left behind. Raises MigrationFailed where what is deployed cannot be built here, ServerError.
    """
    database: Database = streams[0][0]
    server = work.session.scratch(database.engine, baseline)
    with server.exclusive(name, work.progress.now):
        server.drop(name)  # a killed run's
        with server.guest(name) as guest:
            try:
                guest.server.create(name, baseline)
                _fill(work, streams, guest, name)
                guest.lower()
                driver, there = work.session.engine(database.engine).driver, database._replace(names={LOCAL: name})
                yield Ground(
                    site=Site.of(work.catalog, there, guest.server, driver, work.progress, scratch=True), guest=guest
                )
            finally:
                server.drop(name)


def _fill(work: Work, streams: scratch.Streams, guest: Guest, name: str) -> None:
    try:
        scratch.fill(work, streams, guest.server, name)
    except MigrationFailed as error:
        error.what = f"{error.what} (while what is deployed was built here, before the rehearsal)"
        raise
