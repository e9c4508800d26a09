"""A database that is built from chosen files on a scratch server, to be compared with another one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from schemas.catalog import Database
from schemas.stream import Migration
from schemas.target import LOCAL
from tasks.migrate import failure
from tasks.migrate.site import Site
from tasks.work import Work
from tools import goose
from tools.engine import Server

__all__ = ["built"]

LONGEST = 63  # bytes of a name that PostgreSQL takes


@contextmanager
def built(
    work: Work, streams: Sequence[tuple[Database, Sequence[Migration]]], prefix: str
) -> Iterator[tuple[Server, str]]:
    """A scratch server and the name of a database on it, in which these files of each stream have been applied.

    All streams build the same physical database. Raises MigrationFailed where a file fails. Nothing is left behind.
    """
    first, _ = streams[0]
    server = work.session.scratch(first.engine)
    name = first.names[LOCAL] if first.engine == "clickhouse" else f"{prefix}_{first.names[LOCAL]}"[:LONGEST]
    with server.exclusive(name, work.progress.now):
        server.drop(name)
        server.create(name)
        try:
            for database, files in streams:
                _apply(work, database._replace(names={LOCAL: name}), server, files)
            yield server, name
        finally:
            server.drop(name)


def _apply(work: Work, database: Database, server: Server, files: Sequence[Migration]) -> None:
    if not files:
        return
    driver = work.session.engine(database.engine).driver
    site = Site.of(work.catalog, database, server, driver, work.progress, scratch=True)
    texts = site.texts(files)
    with site.staged(texts) as folder:
        result = goose.up(folder, site.connection(files), on_file=lambda _: None, say=work.progress.now)
    held = {row.version for row in site.look().tables.get(database.table, ())}
    left = {file.version for file in files} - held
    if result.code != 0 or left:
        raise failure.explain(site, files, files, texts, result, left=left)
