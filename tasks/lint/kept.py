"""What a stream without errors leaves behind, so that a run which is spared reports what it would find."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from tasks.lint.branch import split
from tasks.lint.finding import Edit, Finding, counted
from tasks.lint.found import failing
from tasks.lint.known import Parted, Row
from tasks.lint.report import report
from tasks.work import Work

__all__ = ["holds", "kept", "replay"]


def kept(part: Parted, files: Iterable[str], notes: Iterable[str] = (), until: str = "") -> dict[str, Any]:
    """What is to be kept, as lists that become JSON; ``until`` is the last day on which it is true."""
    return {
        "findings": [list(one) for one in part.new],
        "known": [list(one) for one in part.known],
        "gone": [[*row, count] for row, count in part.gone.items()],
        "files": list(files),
        "notes": list(notes),
        "until": until,
    }


def holds(work: Work, values: Mapping[str, Any]) -> str:
    """Why the kept success is none today or under this run's variables; empty where it is one."""
    until = values.get("until")
    if until and datetime.now(UTC).date().isoformat() > until:
        return f"a waiver ended on {until}"
    if "baseline" in work.variables:
        return "baseline=write looks at everything"
    if work.variables.get("fix") == "true" and any(one.fix for one in _findings(values)):
        return "fix=true, and it has safe fixes"
    shown, _ = split(work, _findings(values))
    over = [one for one in shown if one.severity in failing(work.variables)]
    return f"under this run's variables it fails: {counted(over)}" if over else ""


def replay(work: Work, values: Mapping[str, Any]) -> None:
    """Put what is kept into the run's report."""
    shown, untouched = split(work, _findings(values))
    files, notes = values.get("files", ()), values.get("notes", ())
    known, gone = _findings(values, "known"), {Row(*row): count for *row, count in values.get("gone", ())}
    report(work).add(shown, files, notes, untouched=untouched, known=known, gone=gone)


def _findings(values: Mapping[str, Any], name: str = "findings") -> list[Finding]:
    rows = (dict(zip(Finding._fields, row, strict=True)) for row in values.get(name, ()))
    return [Finding(**{**row, "fix": tuple(Edit(*edit) for edit in row["fix"])}) for row in rows]
