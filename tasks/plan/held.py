"""What one database of a release would get: decided from files, what is written down, and what the database holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from schemas.errors import GanderError
from schemas.stream import version_of
from tasks.migrate.versions import File
from tasks.status.standing import judge
from tools.remote import Sight

__all__ = ["Asked", "Told", "few", "tell"]

FEW = 5  # versions or files that a sentence names


class Asked(NamedTuple):
    """A database of an environment as it was asked, or why it was not."""

    place: str  # auth-service/auth@dev
    variable: str  # that holds its URL
    table: str = "goose_db_version"
    streams: frozenset[str] = frozenset()  # the version tables of all streams that build it
    found: Sight | GanderError | None = None  # None: the variable is not set


class Files(NamedTuple):
    """The migrations of one database: name -> SHA-256 of the content, in order."""

    key: str  # of the database
    then: Mapping[str, str]  # in the image that it would get
    before: Mapping[str, str] | None  # in the one that is written down; None: nobody knows
    now: str  # how messages call that one; empty where there is none


class Told(NamedTuple):
    """What would happen to one database."""

    runs: tuple[str, ...] | None  # the files, in order; None: nobody knows
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    todo: tuple[str, ...] = ()
    held: tuple[int, ...] | None = None  # the versions that the database holds; None: nobody asked it


def tell(files: Files, asked: Asked | None) -> Told:
    """What would happen to a database. Where it was asked, its own versions decide; else what is written down."""
    told = _by_values(files)
    if asked is None:
        return told
    found = asked.found
    if isinstance(found, Sight):
        return _by_database(files, asked, found)
    if found is None:
        return told._replace(notes=(*told.notes, f"{files.key} is not asked: {asked.variable} is not set"))
    problem = ": ".join([f"{files.key}: {found.what}", *found.why.splitlines()[:1]])
    return told._replace(problems=(problem,), todo=tuple(found.todo.splitlines()))


def _by_values(files: Files) -> Told:
    if files.before is None:
        return Told(runs=None)
    runs = tuple(name for name in files.then if name not in files.before)
    return Told(runs=runs, notes=tuple(_changes(files, files.before)))


def _by_database(files: Files, asked: Asked, sight: Sight) -> Told:
    key = files.key
    listed = [
        File(version=version, name=name, path=name, sha256=sha256)
        for name, sha256 in files.then.items()
        if isinstance(version := version_of(name), int)
    ]
    judged = judge(listed, sight, asked.table, asked.streams)
    held = tuple(one.version for one in judged.versions if one.state in {"applied", "missing"})
    notes, problems = list(judged.remarks), [f"{key}: {line}" for line in judged.against]
    late = [one.name for one in judged.versions if one.state == "out of order"]
    if late:
        problems.append(f"{key}: goose refuses to run {few(late)}, as the database holds newer versions")
    if files.before is None or not files.now:
        extra = [one.version for one in judged.versions if one.state == "missing"]
        if extra:
            problems.append(f"{key}: the database holds {few(extra)}, which the new image does not have")
    elif held or not judged.against:  # else nobody knows what ran
        waits, against = _disagreement(files, files.before, held)
        problems += against
        ran = {name: sha256 for name, sha256 in files.before.items() if version_of(name) in held}
        notes += [*waits, *_changes(files, ran)]
    return Told(
        runs=tuple(one.name for one in judged.versions if one.state in {"pending", "out of order"}),
        notes=tuple(notes),
        problems=tuple(problems),
        todo=(f"doit status:{asked.place}   (shows every version)",) if problems else (),
        held=held,
    )


def _disagreement(files: Files, before: Mapping[str, str], held: Sequence[int]) -> tuple[list[str], list[str]]:
    """Where the database holds something else than is written down: what only has not run yet, and what cannot be."""
    written = {version: name for name in before if isinstance(version := version_of(name), int)}
    more = [number for number in held if number not in written]
    less = {number: name for number, name in written.items() if number not in held}
    lacks = f"{files.key}: {files.now} has {few(list(less.values()))}, which the database does not hold"
    if less and not more and min(less) > max(held, default=0):
        return [f"{lacks}: it was not synced yet, or its Job failed"], []
    against = [f"{lacks}, although it holds others"] if less else []
    if more:
        why = "somebody ran them by hand, or took the values file back"
        against.append(f"{files.key}: the database holds {few(more)}, which {files.now} does not have: {why}")
    return [], against


def _changes(files: Files, before: Mapping[str, str]) -> list[str]:
    """What goose does not undo: files that ran with another text, or that are gone."""
    then, key = files.then, files.key
    edited = [name for name in then if name in before and before[name] != then[name]]
    return [
        *(f"{key}/{name} is changed: goose does not run it again" for name in edited),
        *(f"{key}/{name} is not in the new image: what it did stays" for name in before if name not in then),
    ]


def few(those: Sequence[object]) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(those) - FEW} more" if those[FEW:] else ""
    return ", ".join(map(str, those[:FEW])) + more
