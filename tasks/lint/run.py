"""The step `lint`: the rules of the policy, checked on the files of one stream."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from schemas.catalog import Catalog
from schemas.errors import LintFailed
from schemas.stream import collect
from schemas.target import Target
from tasks import place
from tasks.lint.check import check
from tasks.lint.finding import counted
from tasks.lint.reading import files, parser
from tasks.lint.report import Report
from tasks.lint.rule import rules
from tasks.work import Outcome, Work

__all__ = ["parts", "run"]


def run(work: Work) -> Outcome:
    """Check a stream; findings go into the run's report. Raises LintFailed where one is an error."""
    database = place.owned(work.catalog, work.target)
    stream = collect(place.folder(work.catalog, database), work.catalog.root)
    chosen = rules(database.engine, "file", "statements")
    reader = parser(work.session) if database.engine == "clickhouse" else None
    listed = files(stream.migrations, database.engine, reader)
    found = [one for file in listed for one in check(file, chosen)]
    count = len(listed)
    work.session.shared("lint", lambda: Report(work.out)).add(found, count)
    if any(one.severity == "error" for one in found):
        raise LintFailed(
            f"{database.label}: {counted(found)}",
            todo=f"correct the files as the report says, then doit lint:{database.label}",
        )
    return Outcome(summary=f"{count} {'file' if count == 1 else 'files'}, {counted(found)}")


def parts(catalog: Catalog, target: Target, digest: Callable[[Path], str]) -> dict[str, str]:
    """What can change the outcome beside services.yaml: the files and the rules."""
    database = place.owned(catalog, target)
    return {"migrations": digest(place.folder(catalog, database)), "rules": digest(Path(__file__).parent)}
