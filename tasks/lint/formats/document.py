"""The report as one JSON document, for programs of one's own: schemas/lint.schema.json says what is in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from tasks.lint.finding import SEVERITIES, Finding
from tasks.lint.fingerprint import fingerprints
from tasks.lint.found import Found

__all__ = ["write"]


def write(found: Found) -> str:
    """The whole report."""
    marks = fingerprints(found.findings)
    document = {
        "version": 1,
        "files": len(found.files),
        "counts": _counts(found.findings),
        "untouched": {"base": found.base, "counts": _counts(found.untouched)} if found.base else None,
        "known": found.known,
        "not_checked": list(found.notes),
        "findings": [_finding(one, mark) for one, mark in zip(found.findings, marks, strict=True)],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _counts(findings: Iterable[Finding]) -> Mapping[str, int]:
    many = Counter(one.severity for one in findings)
    return {severity: many[severity] for severity in SEVERITIES}


def _finding(one: Finding, fingerprint: str) -> Mapping[str, Any]:
    return {
        "code": one.code,
        "name": one.name,
        "severity": one.severity,
        "file": one.path,
        "line": one.line,
        "column": one.column,
        "end_column": one.end_column or None,
        "message": one.message,
        "write": one.instead or None,
        "fixable": bool(one.fix),
        "fingerprint": fingerprint,
    }
