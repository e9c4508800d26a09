"""The operation `status`: the files against the databases, version by version, without changing anything."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from schemas.target import LOCAL
from tasks.status.gathering import gather
from tasks.status.standing import Standing
from tasks.work import Outcome, Work

__all__ = ["run"]


def run(work: Work) -> Outcome:
    """Print how each selected database stands; exit code 1 unless all are at head.

    A local server that is down is started only when its files do not prove what it holds. A database elsewhere is
    only read; one that cannot be looked at has a row that says why.
    """
    found = gather(work)
    standings = found.standings
    if work.variables.get("format") == "json":
        document = {"version": 1, "databases": [_document(standing) for standing in standings]}
        work.out(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        whole = len({standing.entry.service for standing in standings}) == 1
        for line in _table(standings, whole=whole):
            work.out(line)
    if found.unset:
        work.progress.line(str(found.unset))
    behind = sum(not standing.at_head for standing in standings)
    if behind:
        return Outcome(summary=f"{behind} of {len(standings)} not at head", exit_code=1)
    return Outcome(summary="all at head")


def _table(standings: Sequence[Standing], *, whole: bool) -> Iterator[str]:
    """One line a database; below it the versions that are not applied, or all of them when ``whole``."""
    width = max((len(standing.called) for standing in standings), default=0)
    for standing in standings:
        yield f"{standing.called:<{width}}  {_phrase(standing)}"
        yield from (f"  {line}" for line in _cause(standing))
        yield from (f"  {note}" for note in standing.notes)
        for problem in standing.problems:
            yield f"  {problem.path}{f':{problem.line}' if problem.line else ''}: {problem.message}"
        shown = standing.versions if whole else standing.behind if standing.exists else ()
        for version in shown:
            yield f"  {version.state:<12}  {version.at[:19].replace('T', ' '):<19}  {version.name or version.version}"
    elsewhere = dict.fromkeys(one.environment for one in standings if one.environment != LOCAL and one.exists)
    if elsewhere:
        yield f"{', '.join(elsewhere)}: by version alone; goose keeps no texts, so an edited file would not show"


def _phrase(standing: Standing) -> str:
    through = f"through {standing.database.label}: " if standing.entry is not standing.database else ""
    if standing.error:
        return f"{through}{'cannot be looked at' if standing.error.why else f'not known: {standing.error.what}'}"
    if not standing.exists:
        name = standing.database.names[standing.environment]
        return f"{through}no database {name} yet, {_files(len(standing.versions))} to apply"
    applied = len(standing.versions) - len(standing.behind)
    if standing.at_head:
        return f"{through}at head, {_files(applied)} applied"
    counts: dict[str, int] = {}
    for version in standing.behind:
        counts[version.state] = counts.get(version.state, 0) + 1
    parts = [f"{applied} applied", *(f"{count} {state}" for state, count in counts.items())]
    if standing.problems:
        parts.append(f"{len(standing.problems)} not runnable")
    return f"{through}not at head: {', '.join(parts)}"


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _cause(standing: Standing) -> Iterator[str]:
    """Why a database could not be looked at, and what to do; how to set a variable is told once for all."""
    if standing.error and standing.error.why:
        _, *lines = str(standing.error).splitlines()
        yield from (line.strip() for line in lines)


def _document(standing: Standing) -> dict[str, Any]:
    """The JSON of one database, as schemas/status.schema.json says."""
    return {
        "service": standing.entry.service,
        "database": standing.entry.key,
        "environment": standing.environment,
        "owner": standing.database.label,
        "engine": standing.database.engine,
        "name": standing.database.names[standing.environment],
        "table": standing.database.table,
        "exists": standing.exists,
        "at_head": standing.at_head,
        "texts_compared": standing.environment == LOCAL,
        "error": str(standing.error) if standing.error else None,
        "notes": list(standing.notes),
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
