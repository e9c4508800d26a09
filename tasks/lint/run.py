"""The step `lint`: the rules of the policy, checked on the files of one stream and on its service's chart."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from schemas.catalog import Catalog, Database
from schemas.errors import LintFailed
from schemas.target import Target
from tasks import place
from tasks.lint import argo
from tasks.lint.base import Base, Looks, Nothing, Places, places
from tasks.lint.conclude import codes, conclude, settings
from tasks.lint.finding import Finding
from tasks.lint.gather import dotenvs, gather
from tasks.lint.look import look
from tasks.lint.mend import mend
from tasks.lint.reading import parser
from tasks.lint.record import Records, program
from tasks.lint.releases import Made, Releases
from tasks.lint.releases import parts as parts_of_charts
from tasks.lint.settle import settle
from tasks.lint.stream import Stream
from tasks.work import Outcome, Work

__all__ = ["parts", "run"]

ROUNDS = 5  # of fixes: one may bring to light another
GIT = "GS14, GS15: whether a merged file was changed"
CHARTS = "AR: what charts make of each environment"


def run(work: Work) -> Outcome:
    """Check a stream and the chart that deploys it; findings go into the run's report.

    Raises LintFailed where one is an error, or where CI=true and something cannot be checked: there is no base branch
    to compare with, or no Helm to render the chart.
    """
    catalog, database = work.catalog, place.owned(work.catalog, work.target)
    base = work.session.shared("lint's git", lambda: Looks(places(catalog))).at(database.migrations)
    made = work.session.shared("lint's charts", lambda: Releases(catalog, work.progress.now)).of(database.service)
    charts = argo.findings(catalog.root, made.releases)
    judged = codes("file", "statements", "catalogue", "stream")
    judged |= codes("git") if isinstance(base, Base) else frozenset()
    judged |= frozenset() if made.unchecked or made.unread else codes("release")
    stream, found = _looked(work, database, base)
    for _ in range(ROUNDS if work.variables.get("fix") == "true" else 0):
        today = datetime.now(UTC).date()
        counting = settle(catalog, found, stream.files, (), today=today, judged=judged, merged=_merged(stream)).findings
        if not mend(catalog.root, stream, counting, work.progress.line):
            break
        stream, found = _looked(work, database, base)
    concluded = conclude(
        work,
        database.label,
        [*found, *charts],
        judged=judged,
        files=stream.files,
        others=argo.files(made.releases),
        merged=_merged(stream),
        notes=tuple(_notes(base, made)),
    )
    _judge(database, base, made)
    count = len(stream.files)
    waiting = f"; not promoted yet: {', '.join(made.unpromoted)}" if made.unpromoted else ""
    return Outcome(
        summary=f"{count} {'file' if count == 1 else 'files'}, {concluded.summary}{waiting}", values=concluded.values
    )


def _looked(work: Work, database: Database, base: Base | Nothing) -> tuple[Stream, list[Finding]]:
    """The stream as its files are now, and what the rules find in it."""
    catalog = work.catalog
    asked = any(one.engine == "clickhouse" for one in catalog.databases())
    stream = gather(
        catalog.root,
        database,
        catalog.services[database.service].folder,
        base if isinstance(base, Base) else None,
        parser(work.session) if asked else None,
    )
    records = work.session.shared("lint's records", lambda: Records(catalog.root / ".state" / "lint.db"))
    return stream, list(look(stream, records).findings)


def _merged(stream: Stream) -> list[str]:
    """The paths that nobody may change any more."""
    merged = stream.base.merged if stream.base else frozenset()
    return [file.path for file in stream.files if file.name in merged]


@lru_cache(maxsize=1)
def _git(there: Places, digest: Callable[[Path], str]) -> Looks:  # noqa: ARG001 - who digests is the run that asks
    """What a run's keys are made of: git is asked once for all of them."""
    return Looks(there)


def parts(catalog: Catalog, target: Target, digest: Callable[[Path], str]) -> dict[str, str]:
    """What can change the outcome beside services.yaml: the files, what is merged, the chart, and the rules."""
    database = place.owned(catalog, target)
    base = _git(places(catalog), digest).at(database.migrations)
    return {
        "migrations": digest(place.folder(catalog, database)),
        ".env": repr(dotenvs(catalog.root, database, catalog.services[database.service].folder)),
        "base branch": base.why if isinstance(base, Nothing) else base.key,
        "CI": os.environ.get("CI", ""),
        "rules": program(),
        **settings(catalog),
        **parts_of_charts(catalog, catalog.services[database.service], digest),
    }


def _notes(base: Base | Nothing, made: Made) -> Iterator[str]:
    if isinstance(base, Nothing):
        yield f"{GIT}: {base.why} (→ {base.todo})"
    if made.unchecked:
        yield f"{CHARTS}: {made.unchecked.what} (→ {made.unchecked.todo})"
    for why in made.unread:
        yield f"AR01, AR09, AR10: Applications of a chart: {why}"


def _judge(database: Database, base: Base | Nothing, made: Made) -> None:
    """LintFailed where something was not checked that must be."""
    if isinstance(base, Nothing) and os.environ.get("CI") == "true":
        raise LintFailed(
            f"{database.label}: nothing tells which files are merged, and an edited one would go unseen",
            why=f"{base.why}; where CI=true, what cannot be checked is an error",
            todo=base.todo,
        )
    if made.unchecked and os.environ.get("CI") == "true":
        raise LintFailed(
            f"{database.label}: nothing tells what the chart makes, as Helm is not to be had",
            why=f"{made.unchecked.what}; where CI=true, what cannot be checked is an error",
            todo=made.unchecked.todo,
        )
