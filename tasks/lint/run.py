"""The step `lint`: the rules of the policy, checked on the files of one stream."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from schemas.catalog import Catalog, Database
from schemas.errors import LintFailed
from schemas.target import Target
from tasks import place
from tasks.lint.base import Base, Looks, Nothing
from tasks.lint.check import check, check_along, check_stream
from tasks.lint.finding import Finding, counted
from tasks.lint.gather import dotenvs, gather
from tasks.lint.reading import parser
from tasks.lint.report import Report
from tasks.lint.rule import rules
from tasks.work import Outcome, Work

__all__ = ["parts", "run"]

GIT = "GS14, GS15: whether a merged file was changed"


def run(work: Work) -> Outcome:
    """Check a stream; findings go into the run's report.

    Raises LintFailed where one is an error, or where CI=true and there is no base branch to compare with.
    """
    catalog, database = work.catalog, place.owned(work.catalog, work.target)
    report = work.session.shared("lint", lambda: Report(work.out))
    base = work.session.shared("lint's git", lambda: Looks(catalog)).at(database.migrations)
    asked = any(one.engine == "clickhouse" for one in catalog.databases())
    stream = gather(
        catalog.root,
        database,
        catalog.services[database.service].folder,
        base if isinstance(base, Base) else None,
        parser(work.session) if asked else None,
    )
    alone = rules(database.engine, "file", "statements")
    together = rules(database.engine, "stream", "git")
    found = [one for file in stream.files for one in check(file, alone)]
    found += check_along(stream, rules(database.engine, "catalogue")) + check_stream(stream, together)
    report.add(found, len(stream.files))
    if isinstance(base, Nothing):
        report.note(f"{GIT}: {base.why} (→ {base.todo})")
    _judge(database, found, base)
    count = len(stream.files)
    return Outcome(summary=f"{count} {'file' if count == 1 else 'files'}, {counted(found)}")


def parts(catalog: Catalog, target: Target, digest: Callable[[Path], str]) -> dict[str, str]:
    """What can change the outcome beside services.yaml: the files, what is merged, and the rules."""
    database = place.owned(catalog, target)
    base = Looks(catalog).at(database.migrations)
    return {
        "migrations": digest(place.folder(catalog, database)),
        ".env": repr(dotenvs(catalog.root, database, catalog.services[database.service].folder)),
        "base branch": base.why if isinstance(base, Nothing) else base.key,
        "CI": os.environ.get("CI", ""),
        "rules": digest(Path(__file__).parent),
    }


def _judge(database: Database, found: Sequence[Finding], base: Base | Nothing) -> None:
    """LintFailed where the step has not succeeded."""
    if any(one.severity == "error" for one in found):
        raise LintFailed(
            f"{database.label}: {counted(found)}",
            todo=f"correct the files as the report says, then doit lint:{database.label}",
        )
    if isinstance(base, Nothing) and os.environ.get("CI") == "true":
        raise LintFailed(
            f"{database.label}: nothing tells which files are merged, and an edited one would go unseen",
            why=f"{base.why}; where CI=true, what cannot be checked is an error",
            todo=base.todo,
        )
