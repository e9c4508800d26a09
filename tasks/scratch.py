"""A database that is built from chosen files on a scratch server, to be compared with another one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from schemas.catalog import Database
from schemas.errors import ToolError
from schemas.stream import Migration
from schemas.target import LOCAL
from tasks.migrate import failure
from tasks.migrate.site import Site
from tasks.work import Work
from tools import goose
from tools.engine import Baseline, Server

__all__ = ["Streams", "built", "fill", "made", "take_out"]

LONGEST = 63  # bytes of a name that PostgreSQL takes
NOTHING = b"-- +goose Up\n-- +goose Down\n"

Streams = Sequence[tuple[Database, Sequence[Migration]]]
"""Streams that build one physical database, each with the files that are meant."""


@contextmanager
def built(work: Work, streams: Streams, prefix: str, baseline: Baseline | None) -> Iterator[tuple[Server, str]]:
    """A scratch server and the name of a database on it: the baseline, and these files of each stream on top.

    Raises MigrationFailed where the baseline or a file fails. Nothing is left behind.
    """
    with made(work, streams[0][0], prefix, baseline) as (server, name):
        fill(work, streams, server, name)
        yield server, name


@contextmanager
def made(work: Work, database: Database, prefix: str, baseline: Baseline | None) -> Iterator[tuple[Server, str]]:
    """The same with the baseline alone."""
    server = work.session.scratch(database.engine, baseline)
    local = database.names[LOCAL]
    name = local if database.engine == "clickhouse" else f"{prefix}_{local}"[:LONGEST]
    with server.exclusive(name, work.progress.now):
        server.drop(name)
        try:
            server.create(name, baseline)
            yield server, name
        finally:
            server.drop(name)


def fill(work: Work, streams: Streams, server: Server, name: str) -> None:
    """Bring these files of each stream up in a database that is there. Raises MigrationFailed where one fails."""
    for database, files in streams:
        if files:
            _apply(_site(work, database, server, name), files)


def take_out(work: Work, database: Database, server: Server, name: str, files: Sequence[Migration]) -> None:
    """Take these files down where nobody has brought them up, though what they make is there.

    goose is told that they are applied by files of the same names that do nothing. Raises MigrationFailed.
    """
    site = _site(work, database, server, name)
    texts = site.texts(files)
    with site.staged({file.name: NOTHING for file in files}) as folder:
        result = goose.up(folder, site.connection(()), on_file=lambda _: None, say=work.progress.now)
    if result.code or {file.version for file in files} != _held(site):
        raise ToolError(f"{database.label}: goose could not be told what is applied", why=result.raw)
    with site.staged(texts) as folder:
        result = goose.down_to(0, folder, site.connection(files), on_file=lambda _: None, say=work.progress.now)
    if left := _held(site):
        raise failure.explain(site, files, files, texts, result, left=left, direction="down")


def _apply(site: Site, files: Sequence[Migration]) -> None:
    texts = site.texts(files)
    with site.staged(texts) as folder:
        result = goose.up(folder, site.connection(files), on_file=lambda _: None, say=site.progress.now)
    left = {file.version for file in files} - _held(site)
    if result.code or left:
        raise failure.explain(site, files, files, texts, result, left=left)


def _site(work: Work, database: Database, server: Server, name: str) -> Site:
    driver, there = work.session.engine(database.engine).driver, database._replace(names={LOCAL: name})
    return Site.of(work.catalog, there, server, driver, work.progress, scratch=True)


def _held(site: Site) -> set[int]:
    """The versions that goose's table of the stream holds as applied."""
    return {row.version for row in site.look().tables.get(site.database.table, ())}
