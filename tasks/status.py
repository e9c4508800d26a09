"""The operation `status`: the files against the databases, version by version, without changing anything."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.catalog import Database, Reference
from schemas.stream import Problem, read
from schemas.target import LOCAL
from tasks import place
from tasks.migrate.check import gather
from tasks.migrate.versions import Version
from tasks.work import Outcome, Work
from tools.engine import Contents

__all__ = ["run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one database stands against its stream."""

    entry: Database | Reference
    database: Database  # the entry itself, or the one that it refers to
    contents: Contents
    versions: tuple[Version, ...]
    problems: tuple[Problem, ...]

    @property
    def at_head(self) -> bool:
        """Every file is applied with its present text, and nothing else is."""
        return self.contents.exists and not self.problems and not self.behind

    @property
    def behind(self) -> tuple[Version, ...]:
        """The versions that are anything but applied."""
        return tuple(version for version in self.versions if version.state != "applied")


def run(work: Work) -> Outcome:
    """Print how each selected database stands; exit code 1 unless all are at head.

    A local server that is down is started only when its files do not prove what it holds.
    """
    standings = _standings(work)
    if work.variables.get("format") == "json":
        document = {"version": 1, "databases": [_document(standing) for standing in standings]}
        work.out(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        whole = len({standing.entry.service for standing in standings}) == 1
        for line in _table(standings, whole=whole):
            work.out(line)
    behind = sum(not standing.at_head for standing in standings)
    if behind:
        return Outcome(summary=f"{behind} of {len(standings)} not at head", exit_code=1)
    return Outcome(summary="all at head")


def _standings(work: Work) -> list[Standing]:
    entries = [place.entry(work.catalog, target) for target in work.targets]
    owners = [work.catalog.owner(entry) if isinstance(entry, Reference) else entry for entry in entries]
    found = gather(work.session, owners, start=True)
    records = place.journal(work.catalog)
    standings = []
    for entry, database in zip(entries, owners, strict=True):
        stream = read(place.folder(work.catalog, database), work.catalog.root, os.environ)
        contents = found[database.label]
        versions = place.plan(work.catalog, database, stream.migrations, contents, records).versions
        held = {version.path for version in versions if version.state == "applied"}
        problems = tuple(problem for problem in stream.problems if problem.path not in held)
        standings.append(
            Standing(entry=entry, database=database, contents=contents, versions=versions, problems=problems)
        )
    return standings


def _table(standings: Sequence[Standing], *, whole: bool) -> Iterator[str]:
    """One line a database; below it the versions that are not applied, or all of them when ``whole``."""
    width = max((len(standing.entry.label) for standing in standings), default=0)
    for standing in standings:
        yield f"{standing.entry.label:<{width}}  {_phrase(standing)}"
        for problem in standing.problems:
            yield f"  {problem.path}{f':{problem.line}' if problem.line else ''}: {problem.message}"
        shown = standing.versions if whole else standing.behind if standing.contents.exists else ()
        for version in shown:
            yield f"  {version.state:<12}  {version.at[:19].replace('T', ' '):<19}  {version.name or version.version}"


def _phrase(standing: Standing) -> str:
    through = f"through {standing.database.label}: " if standing.entry is not standing.database else ""
    if not standing.contents.exists:
        return f"{through}no database {standing.database.names[LOCAL]} yet, {len(standing.versions)} files to apply"
    applied = len(standing.versions) - len(standing.behind)
    if standing.at_head:
        return f"{through}at head, {applied} files applied"
    counts: dict[str, int] = {}
    for version in standing.behind:
        counts[version.state] = counts.get(version.state, 0) + 1
    parts = [f"{applied} applied", *(f"{count} {state}" for state, count in counts.items())]
    if standing.problems:
        parts.append(f"{len(standing.problems)} not runnable")
    return f"{through}not at head: {', '.join(parts)}"


def _document(standing: Standing) -> dict[str, Any]:
    """The JSON of one database, as schemas/status.schema.json says."""
    return {
        "service": standing.entry.service,
        "database": standing.entry.key,
        "environment": LOCAL,
        "owner": standing.database.label,
        "engine": standing.database.engine,
        "name": standing.database.names[LOCAL],
        "table": standing.database.table,
        "exists": standing.contents.exists,
        "at_head": standing.at_head,
        "versions": [
            {
                "version": version.version,
                "file": version.path or None,
                "name": version.name or None,
                "state": version.state,
                "applied_at": version.at or None,
            }
            for version in standing.versions
        ],
        "problems": [
            {"file": problem.path, "line": problem.line or None, "message": problem.message}
            for problem in standing.problems
        ],
    }
