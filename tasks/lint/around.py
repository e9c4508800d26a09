"""The step `lint` for a service beside its databases, and for the monorepo around the services."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.catalog import Catalog
from schemas.target import Target
from tasks.lint.check import finding
from tasks.lint.conclude import codes, conclude, settings
from tasks.lint.finding import Finding, in_order
from tasks.lint.monorepo import monorepo
from tasks.lint.record import program
from tasks.lint.rule import Listed, rules
from tasks.lint.service import Service
from tasks.work import Outcome, Work

__all__ = ["check", "parts", "run"]


def run(work: Work) -> Outcome:
    """Check the files; findings go into the run's report. Raises LintFailed where one is grave enough."""
    name = work.target.service or ""
    shown = name or "around the services"
    held = monorepo(work.catalog).held(name)
    concluded = conclude(
        work,
        shown,
        check(Service(work.catalog.services.get(name), held.sources), rules(None, "service")),
        judged=codes("service"),
        others=[source.path for source in held.sources],
        notes=[f"PR: {shown}: {held.cut}"] if held.cut else [],
    )
    count = len(held.sources)
    return Outcome(summary=f"{count} {'file' if count == 1 else 'files'}, {concluded.summary}", values=concluded.values)


def parts(catalog: Catalog, target: Target) -> dict[str, str]:
    """What can change the outcome beside services.yaml: the files and the rules."""
    files = monorepo(catalog).held(target.service or "").digest
    return {"files": files, "rules": program(), **settings(catalog)}


def check(service: Service, chosen: Sequence[Listed]) -> list[Finding]:
    """The findings of these rules, by place."""
    return in_order(finding(one.rule, flaw, service.source(flaw.path)) for one in chosen for flaw in one.check(service))
