"""The report as SARIF 2.1.0 (OASIS), with what GitHub's code scanning takes of it and no more.

GitHub's "SARIF support for code scanning" names the limits: one file has 20 runs (this has one), a run 25,000 results
of which the 5,000 gravest are shown, and texts of a rule 1,024 characters. What is cut is told in the file.
Fingerprints have a name of our own: what GitHub's upload makes under its own name would differ from any that we wrote.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from tasks.lint.finding import SEVERITIES, Edit, Finding, Severity, counted
from tasks.lint.fingerprint import fingerprints
from tasks.lint.found import Found
from tasks.lint.manual import parts
from tasks.lint.rule import Listed, listed

__all__ = ["write"]

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS: dict[Severity, str] = {"error": "error", "warning": "warning", "advice": "note"}
MOST = 25_000  # results of a run
LONGEST = 1_024  # characters of a rule's description
ROOT = "SRCROOT"  # the name that paths are relative to; where it lies is for the reader to know


def write(found: Found) -> str:
    """The whole report."""
    rules = listed()
    places = {one.rule.code: number for number, one in enumerate(rules)}
    marks = fingerprints(found.findings)
    both = list(zip(found.findings, marks, strict=True))
    left: list[Finding] = []
    if len(both) > MOST:
        graded = sorted(both, key=lambda one: SEVERITIES.index(one[0].severity))
        both, left = graded[:MOST], [one for one, _ in graded[MOST:]]
    notes = found.remarks
    notes += [f"left out, as a run holds {MOST:,} results at most: {counted(left)}"] if left else []
    run: dict[str, Any] = {
        "tool": {"driver": {"name": "Gander", "rules": [_rule(one) for one in rules]}},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the git repository."}}},
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [{"level": "warning", "message": {"text": note}} for note in notes],
            }
        ],
        "results": [_result(one, mark, places.get(one.code), found.prefix) for one, mark in both],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False)


def _rule(one: Listed) -> dict[str, Any]:
    summary, paragraphs = parts(one)
    told = [(title, " ".join(text.split())) for title, text in paragraphs]
    return {
        "id": one.rule.code,
        "name": one.rule.name,
        "shortDescription": {"text": _cut(summary)},
        "fullDescription": {"text": _cut(dict(told).get("Problem", summary))},
        "help": {
            "text": "\n\n".join(f"{title}: {text}" if title else text for title, text in told),
            "markdown": "\n\n".join(f"**{title}.** {text}" if title else text for title, text in told),
        },
        "defaultConfiguration": {"level": LEVELS[one.rule.severity]},
        "properties": {"tags": [one.group]},
    }


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _result(one: Finding, fingerprint: str, rule: int | None, prefix: str) -> dict[str, Any]:
    place = {"uri": quote(f"{prefix}{one.path}".encode(errors="surrogateescape")), "uriBaseId": ROOT}
    region = {"startLine": one.line, "startColumn": one.column}
    if one.end_column > one.column:
        region["endColumn"] = one.end_column
    advice = f"\n\nWrite:\n\n{one.instead}" if one.instead else ""
    result: dict[str, Any] = {
        "ruleId": one.code,
        "level": LEVELS[one.severity],
        "message": {"text": one.message + advice},
        "locations": [{"physicalLocation": {"artifactLocation": place, "region": region}}],
        "partialFingerprints": {"gander/v1": fingerprint},
    }
    if rule is not None:
        result["ruleIndex"] = rule
    if one.fix:
        result["fixes"] = [{"artifactChanges": [{"artifactLocation": place, "replacements": _replacements(one.fix)}]}]
    return result


def _replacements(edits: Sequence[Edit]) -> list[dict[str, Any]]:
    return [
        {"deletedRegion": {"byteOffset": begin, "byteLength": end - begin}, "insertedContent": {"text": text}}
        for begin, end, text in edits
    ]
