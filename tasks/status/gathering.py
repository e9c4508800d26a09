"""The facts of `status`: the files of each selected database, and what its servers hold, here or elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from schemas.catalog import Catalog, Database, Reference
from schemas.errors import ServerError
from schemas.stream import Problem, Stream, read
from schemas.target import LOCAL
from tasks import place
from tasks.migrate.check import gather as held_here
from tasks.migrate.versions import Version
from tasks.status.standing import Standing, judge
from tasks.work import Work

__all__ = ["Gathered", "gather"]


class Gathered(NamedTuple):
    """How each selected database stands, and the error that names every variable that is not set."""

    standings: tuple[Standing, ...]
    unset: ServerError | None


class Subject(NamedTuple):
    """A selected database or reference in one environment, with the stream that builds it."""

    entry: Database | Reference
    database: Database
    environment: str
    stream: Stream


def gather(work: Work) -> Gathered:
    """Look at everything that was selected; the environments of one database stand together."""
    subjects = _subjects(work)
    here = [one for one in subjects if one.environment == LOCAL]
    elsewhere = [one for one in subjects if one.environment != LOCAL]
    standings = list(_here(work, here)) if here else []
    unset = None
    if elsewhere:
        found, unset = _elsewhere(work.catalog, elsewhere)
        standings += found
    order = list(dict.fromkeys(one.entry.label for one in subjects))
    standings.sort(key=lambda one: order.index(one.entry.label))
    return Gathered(standings=tuple(standings), unset=unset)


def _subjects(work: Work) -> list[Subject]:
    streams: dict[str, Stream] = {}
    subjects = []
    for target in work.targets:
        entry, database = place.entry(work.catalog, target), place.owned(work.catalog, target)
        if database.label not in streams:
            streams[database.label] = read(place.folder(work.catalog, database), work.catalog.root, os.environ)
        stream = streams[database.label]
        subjects.append(Subject(entry=entry, database=database, environment=target.environment, stream=stream))
    return subjects


def _here(work: Work, subjects: Sequence[Subject]) -> Iterator[Standing]:
    found = held_here(work.session, [one.database for one in subjects], start=True)
    records = place.journal(work.catalog)
    for entry, database, environment, stream in subjects:
        contents = found[database.label]
        versions = place.plan(work.catalog, database, stream.migrations, contents, records).versions
        other = place.begun_otherwise(work.catalog, database, contents)
        yield Standing(
            entry=entry,
            database=database,
            environment=environment,
            exists=contents.exists,
            versions=versions,
            problems=_problems(stream, versions),
            notes=(f"it did not begin with {other}: doit reset:{database.label}",) if other else (),
            doubtful=bool(other),
        )


def _elsewhere(catalog: Catalog, subjects: Sequence[Subject]) -> tuple[list[Standing], ServerError | None]:
    from tasks import elsewhere  # noqa: PLC0415 - start-up: only who looks elsewhere needs threads and drivers

    places = [elsewhere.place(catalog, one.database, one.environment, one.stream.migrations) for one in subjects]
    standings = []
    for subject, seen in zip(subjects, elsewhere.each(places, lambda reader: reader.sight()), strict=True):
        entry, database, environment, stream = subject
        if isinstance(seen, ServerError):
            standings.append(Standing(entry=entry, database=database, environment=environment, error=seen))
            continue
        table, streams = database.table.removeprefix("public."), place.streams(catalog, database, environment)
        judged = judge(place.files(stream.migrations), seen, table, streams)
        standings.append(
            Standing(
                entry=entry,
                database=database,
                environment=environment,
                exists=True,
                versions=judged.versions,
                problems=_problems(stream, judged.versions),
                notes=judged.notes,
                doubtful=judged.doubtful,
            )
        )
    return standings, elsewhere.unset(places)


def _problems(stream: Stream, versions: Sequence[Version]) -> tuple[Problem, ...]:
    """What goose would refuse of the files that it has still to run."""
    held = {version.path for version in versions if version.state == "applied"}
    return tuple(problem for problem in stream.problems if problem.path not in held)
