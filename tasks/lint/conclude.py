"""How a target of lint ends: its findings are settled and reported, and those that are grave enough make it fail."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple

from schemas.catalog import Catalog
from schemas.errors import LintFailed
from tasks.lint.branch import split
from tasks.lint.file import File
from tasks.lint.finding import Finding, counted
from tasks.lint.found import failing
from tasks.lint.kept import kept
from tasks.lint.known import FILE, Known
from tasks.lint.report import report
from tasks.lint.rule import Needs, listed
from tasks.lint.settle import settle
from tasks.work import Work

__all__ = ["Concluded", "codes", "conclude", "settings"]


class Concluded(NamedTuple):
    """What a target found in the end, and what is to be kept of it."""

    summary: str
    values: dict[str, Any]


def codes(*needs: Needs) -> frozenset[str]:
    """The codes of the rules that need one of these."""
    return frozenset(one.rule.code for one in listed() if one.rule.needs in needs)


def conclude(
    work: Work,
    name: str,
    raw: Sequence[Finding],
    *,
    judged: Collection[str],
    files: Sequence[File] = (),
    others: Collection[str] = (),
    merged: Collection[str] = (),
    notes: Sequence[str] = (),
) -> Concluded:
    """Settle raw findings and report them; ``name`` is the target's for messages, the rest is as in `settle`.

    Raises LintFailed where a finding that counts is grave enough.
    """
    today = datetime.now(UTC).date()
    settled = settle(work.catalog, raw, files, others, today=today, judged=judged, merged=merged)
    paths = sorted({*(file.path for file in files), *others})
    part = known(work).part(name, settled.findings)
    shown, untouched = split(work, part.new)
    report(work).add(shown, paths, notes, untouched=untouched, known=part.known, gone=part.gone)
    grave = [one for one in shown if one.severity in failing(work.variables)]
    if grave:
        raise LintFailed(
            f"{name}: {counted(grave)}", todo=f"correct the files as the report says, then doit {work.target.name}"
        )
    until = settled.until.isoformat() if settled.until else ""
    return Concluded(counted(shown), kept(part, paths, notes, until))


def settings(catalog: Catalog) -> dict[str, str]:
    """The parts of a target's key that say which of its findings count."""
    file = catalog.root / FILE
    return {
        "settings": repr(catalog.lint),
        "known findings": sha256(file.read_bytes()).hexdigest() if file.is_file() else "",
    }


def known(work: Work) -> Known:
    """The known findings, which the targets of a run share. Raises GanderError for a file that cannot be read."""
    write = "baseline" in work.variables
    return work.session.shared("lint's known", lambda: Known(work.catalog, work.progress.line, write=write))
