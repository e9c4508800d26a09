"""What a stream without errors leaves behind, so that a run which is spared reports what it would find."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from tasks.lint.finding import Edit, Finding, counted
from tasks.lint.found import failing
from tasks.lint.report import report
from tasks.work import Work

__all__ = ["holds", "kept", "replay"]


def kept(
    findings: Iterable[Finding], files: Iterable[str], notes: Iterable[str] = (), until: str = ""
) -> dict[str, Any]:
    """What is to be kept, as lists that become JSON; ``until`` is the last day on which it is true."""
    return {"findings": [list(one) for one in findings], "files": list(files), "notes": list(notes), "until": until}


def holds(work: Work, values: Mapping[str, Any]) -> str:
    """Why the kept success is none today or under this run's variables; empty where it is one."""
    until = values.get("until")
    if until and datetime.now(UTC).date().isoformat() > until:
        return f"a waiver ended on {until}"
    over = [one for one in _findings(values) if one.severity in failing(work.variables)]
    return f"strict=true, and it has {counted(over)}" if over else ""


def replay(work: Work, values: Mapping[str, Any]) -> None:
    """Put what is kept into the run's report."""
    report(work).add(_findings(values), values.get("files", ()), values.get("notes", ()))


def _findings(values: Mapping[str, Any]) -> list[Finding]:
    rows = (dict(zip(Finding._fields, row, strict=True)) for row in values.get("findings", ()))
    return [Finding(**{**row, "fix": tuple(Edit(*edit) for edit in row["fix"])}) for row in rows]
