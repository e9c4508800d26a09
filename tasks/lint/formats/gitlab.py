"""The report as GitLab's Code Quality report: the fields that its documentation of a custom tool names."""

from __future__ import annotations

import json

from tasks.lint.finding import Severity
from tasks.lint.fingerprint import fingerprints
from tasks.lint.found import Found

__all__ = ["write"]

LEVELS: dict[Severity, str] = {"error": "critical", "warning": "minor", "advice": "info"}


def write(found: Found) -> str:
    """One entry a finding."""
    entries = [
        {
            "description": f"{one.code} {one.name}: {one.message}",
            "check_name": one.code,
            "fingerprint": fingerprint,
            "severity": LEVELS[one.severity],
            "location": {"path": f"{found.prefix}{one.path}", "lines": {"begin": one.line}},
        }
        for one, fingerprint in zip(found.findings, fingerprints(found.findings), strict=True)
    ]
    return json.dumps(entries, indent=2, ensure_ascii=False)
