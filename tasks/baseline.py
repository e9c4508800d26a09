"""The operation `baseline`: what a database elsewhere held before its first migration, written down and proved."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from schemas.catalog import Catalog, Database
from schemas.errors import MigrationFailed, Refused, ServerError
from schemas.goose_file import parse
from schemas.stream import Migration
from schemas.structure import Change, Object, Structure, told
from tasks import elsewhere, place, scratch
from tasks.drift.comparison import compare
from tasks.migrate.site import migrations
from tasks.work import Outcome, Work
from tools import whole
from tools.engine import Baseline
from tools.remote import Reader, Sight

__all__ = ["run"]

MOST = 20  # objects of a difference that are shown
EMPTY = {Object(kind="schema", name="public")}  # what a new database has


class Live(NamedTuple):
    """What was read of the database: goose's tables, every object by server, and what makes them."""

    sight: Sight
    structures: Mapping[str, Structure]
    dump: str


class Subject(NamedTuple):
    """The database that is meant: every stream that builds it, with the files that are applied there."""

    called: str  # auth-service/auth@dev
    streams: scratch.Streams
    tables: Sequence[str]  # goose's, of all streams

    @property
    def applied(self) -> int:
        """How many files are applied."""
        return sum(len(files) for _, files in self.streams)

    @property
    def by_hand(self) -> str:
        """What to do where it cannot be written."""
        database, _ = self.streams[0]
        return (
            f"write the baseline by hand: `baseline:` of {database.label} in services.yaml names the file, and"
            f" doit test:{database.label} and doit drift:{self.called} tell whether it is right"
        )


def run(work: Work) -> Outcome:
    """Write the file that `baseline` of the database names, or the usual one, and print its path on stdout.

    Nothing is written unless it and the applied files make exactly the live schema, on a scratch server.
    Raises Refused where a file is there already (unless ``force=true``), where the schema cannot be had here, or where
    that proof fails; MigrationFailed where a Down does not take out what its file made; ServerError.
    """
    database, at = place.owned(work.catalog, work.target), work.target.environment
    path = database.baseline or _usual(work.catalog, database)
    if (work.catalog.root / path).exists() and work.variables.get("force") != "true":
        raise Refused(
            f"{path} is there already",
            todo=f"if it may be replaced: doit baseline:{database.label}@{at} force=true",
        )
    live = _read(work, database, at)
    subject = Subject(
        called=f"{database.label}@{at}",
        streams=[
            (one, elsewhere.applied(migrations(work.catalog, one), live.sight, one.table))
            for one in place.sharing(work.catalog, database, at)
        ],
        tables=sorted(place.streams(work.catalog, database, at)),
    )
    text, there = _before(work, subject, live)
    if not text:
        return Outcome(summary=f"no baseline is needed: the applied files ({subject.applied}) make all that {at} holds")
    baseline = Baseline(path=path, text=_headed(subject, path, text).encode())
    _prove(work, subject, baseline, there)
    _write(work.catalog.root / path, baseline)
    work.out(path)
    if database.baseline:
        work.progress.line(f"a local database that is there begins anew with it: doit reset:{database.label}")
    else:
        work.progress.line(f"now say so in {work.catalog.file.name}, at {database.label}:   baseline: {path}")
    return Outcome(summary=f"written; with the applied files ({subject.applied}) it makes what {at} holds")


def _usual(catalog: Catalog, database: Database) -> str:
    """Where a baseline lies unless services.yaml names another place: beside the migrations, not among them."""
    service = catalog.services[database.service]
    several = sum(isinstance(one, Database) for one in service.databases) > 1
    return f"{service.folder}/baseline-{database.key}.sql" if several else f"{service.folder}/baseline.sql"


def _read(work: Work, database: Database, at: str) -> Live:
    there = elsewhere.place(work.catalog, database, at, migrations(work.catalog, database))
    if missing := elsewhere.unset([there]):
        raise missing
    work.progress.now(f"reading {there.called}")

    def look(reader: Reader) -> Live:
        sight = reader.sight()
        live = Live(sight=sight, structures=reader.structures(), dump=reader.dump(work.progress.now))
        if reader.sight() != sight:
            raise ServerError("it changed while it was read", why="goose is at work there", todo="run it again")
        return live

    (found,) = elsewhere.each([there], look)
    if isinstance(found, ServerError):
        raise found
    if len({tuple(sorted(one.items())) for one in found.structures.values()}) > 1:
        raise Refused(
            f"the replicas of {there.called} hold different schemas, so nobody knows which one the files began with",
            todo=f"see how they differ: doit drift:{database.label}@{at}",
        )
    return found


def _before(work: Work, subject: Subject, live: Live) -> tuple[str, Structure]:
    """What makes the schema without what the applied files made (empty: nothing), and the whole schema."""
    database, _ = subject.streams[0]
    complete = Baseline(path=f"the schema of {subject.called}", text=live.dump.encode())
    with scratch.made(work, database, "baseline", complete) as (server, name):
        there = server.canonical(next(iter(live.structures.values())))
        if changes := compare(server.structure(name, subject.tables), {"": there})[""]:
            raise Refused(
                f"the schema of {subject.called} cannot be had here as it is, so nothing is written",
                why=_listed(changes),
                todo=subject.by_hand,
            )
        for one, files in reversed(subject.streams):
            if files:
                work.progress.now(f"taking out what {_count(files)} of {one.label} made")
                try:
                    scratch.take_out(work, one, server, name, files)
                except MigrationFailed as error:
                    raise MigrationFailed(
                        f"{error.what} (while what the files made was taken out of the schema of {subject.called})",
                        where=error.where,
                        why=error.why,
                        todo=subject.by_hand,
                    ) from error
        if not set(server.structure(name, subject.tables)) - EMPTY:
            return "", there
        return server.dump(name, subject.tables, work.progress.now), there


def _prove(work: Work, subject: Subject, baseline: Baseline, there: Structure) -> None:
    """Build the schema from the baseline and the files, and compare; Refused where it is another one."""
    work.progress.now(f"proving that {baseline.path} and the files make the schema of {subject.called}")
    try:
        with scratch.built(work, subject.streams, "baseline", baseline) as (server, name):
            why = _listed(compare(server.structure(name, subject.tables), {"": there})[""])
    except MigrationFailed as error:
        why = "\n".join(filter(None, (f"{error.where}: {error.what}", *error.why.splitlines())))
    if not why:
        return
    stay = [file.path for _, files in subject.streams for file in files if not _has_down(file)]
    kept = [f"{path} has no Down, so what it makes could not be taken out" for path in stay]
    raise Refused(
        f"what was found does not make the schema of {subject.called} with the applied files, so nothing is written",
        why="\n".join([why, *kept]),
        todo=subject.by_hand,
    )


def _has_down(file: Migration) -> bool:
    return any(one.text for one in parse(file.data, os.environ).down)


def _headed(subject: Subject, path: str, text: str) -> str:
    return (
        f"-- What {subject.called} held before its first migration, written by `doit baseline`.\n"
        f"-- Local and scratch databases begin with it where services.yaml says `baseline: {path}`.\n"
        f"-- When it was written, it and the applied files ({subject.applied}) made exactly the schema there.\n\n{text}"
    )


def _write(path: Path, baseline: Baseline) -> None:
    try:
        whole.replace(path, baseline.text)
    except OSError as error:
        raise Refused(
            f"the file cannot be written: {error.strerror}",
            where=str(path),
            todo=f"make {path.parent} a folder that you may write to",
        ) from error


def _listed(changes: Sequence[Change]) -> str:
    lines = [line for change in changes[:MOST] for line in told(change)]
    return "\n".join([*lines, f"… and {len(changes) - MOST} more objects"] if len(changes) > MOST else lines)


def _count(files: Sequence[Migration]) -> str:
    return "1 file" if len(files) == 1 else f"{len(files)} files"
