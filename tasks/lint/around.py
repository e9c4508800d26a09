"""The step `lint` for a service beside its databases, and for the monorepo around the services."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from schemas.catalog import Catalog
from schemas.errors import LintFailed
from schemas.target import Target
from tasks.lint.check import finding
from tasks.lint.finding import Finding, counted, in_order
from tasks.lint.found import failing
from tasks.lint.kept import kept
from tasks.lint.monorepo import monorepo
from tasks.lint.report import report
from tasks.lint.rule import Listed, rules
from tasks.lint.service import Service
from tasks.work import Outcome, Work

__all__ = ["check", "parts", "run"]


def run(work: Work) -> Outcome:
    """Check the files; findings go into the run's report. Raises LintFailed where one is grave enough."""
    name = work.target.service or ""
    held = monorepo(work.catalog).held(name)
    found = check(Service(work.catalog.services.get(name), held.sources), rules(None, "service"))
    files = [source.path for source in held.sources]
    notes = [f"PR: {name or 'around the services'}: {held.cut}"] if held.cut else []
    report(work).add(found, files, notes)
    grave = [one for one in found if one.severity in failing(work.variables)]
    if grave:
        raise LintFailed(
            f"{name or 'around the services'}: {counted(grave)}",
            todo=f"correct the files as the report says, then doit {work.target.name}",
        )
    count = len(files)
    return Outcome(
        summary=f"{count} {'file' if count == 1 else 'files'}, {counted(found)}", values=kept(found, files, notes)
    )


def parts(catalog: Catalog, target: Target, digest: Callable[[Path], str]) -> dict[str, str]:
    """What can change the outcome beside services.yaml: the files and the rules."""
    return {"files": monorepo(catalog).held(target.service or "").digest, "rules": digest(Path(__file__).parent)}


def check(service: Service, chosen: Sequence[Listed]) -> list[Finding]:
    """The findings of these rules, by place."""
    return in_order(finding(one.rule, flaw, service.source(flaw.path)) for one in chosen for flaw in one.check(service))
