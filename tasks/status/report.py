"""The operation `status`: the files against the databases, version by version, without changing anything."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from schemas.target import LOCAL
from tasks.status.gathering import Gathered, gather
from tasks.status.standing import Standing
from tasks.status.text import Releases, lines
from tasks.work import Outcome, Work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks.status.release import Release
    from tasks.verify.judgement import Verdict

__all__ = ["run"]


def run(work: Work) -> Outcome:
    """Print how each selected database and release stands; 1 unless all are at head, verified, and everything is known.

    A local server that is down is started only when its files do not prove what it holds. A database elsewhere is
    only read; one that cannot be looked at has a row that says why.
    """
    found, releases = _asked(work)
    standings = found.standings
    if work.variables.get("format") == "json":
        document = {
            "version": 1,
            "databases": [_document(standing) for standing in standings],
            "releases": [_release(release) for release in releases.values()],
        }
        work.out(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        whole = len({standing.entry.service for standing in standings}) == 1
        for line in lines(standings, releases, whole=whole):
            work.out(line)
    if found.unset:
        work.progress.line(str(found.unset))
    behind = sum(not standing.at_head for standing in standings)
    unknown = sum(not release.known for release in releases.values())
    verdicts = [one.rollout.verdict for one in releases.values() if one.rollout and one.rollout.verdict]
    unproved = sum(not verdict.enough for verdict in verdicts)
    said = [f"{behind} of {len(standings)} not at head"] if behind else []
    said += [f"{unknown} of {len(releases)} releases not known"] if unknown else []
    said += [f"{unproved} of {len(verdicts)} releases not verified"] if unproved else []
    return Outcome(summary="; ".join(said) or _well(verdicts), exit_code=1 if said else 0)


def _well(verdicts: Sequence[Verdict]) -> str:
    """The summary where nothing is wrong."""
    less = sum(not verdict.verified for verdict in verdicts)
    if less:
        return f"all at head, {less} of {len(verdicts)} verified without a fact that nobody could see"
    return "all at head, all verified" if verdicts else "all at head"


def _asked(work: Work) -> tuple[Gathered, Releases]:
    """Databases, registries and branches, asked at the same time."""
    if all(target.environment == LOCAL for target in work.targets):
        return gather(work), {}
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - start-up: only who looks elsewhere needs it

    from tasks.status.releases import releases  # noqa: PLC0415 - the same

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(releases, work)
        return gather(work), asked.result()


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


def _release(one: Release) -> dict[str, Any]:
    """The JSON of one release, as schemas/status.schema.json says."""
    keys = dict.fromkeys([*(one.head or {}), *(one.there or {})])
    return {
        "service": one.service,
        "environment": one.environment,
        "image": one.image or None,
        "commit": one.commit or None,
        "promoted": one.promoted,
        "databases": [
            {
                "database": key,
                "version": one.version(key),
                "head": one.newest(key),
                "pending": None if (pending := one.pending(key)) is None else list(pending),
            }
            for key in keys
        ],
        "problems": list(one.problems),
        "offered": one.offered or None,
        "override": one.override or None,
        "rollout": one.rollout.document() if one.rollout else None,
    }
