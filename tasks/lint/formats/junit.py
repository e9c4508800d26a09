"""The report as JUnit's XML, which nearly every CI shows: one test case a file, failed where a finding fails a run."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from tasks.lint.finding import Finding, counted
from tasks.lint.found import Found
from tasks.lint.text import lines

__all__ = ["write"]


def write(found: Found) -> str:
    """The whole report."""
    by_file: dict[str, list[Finding]] = {path: [] for path in found.files}
    for one in found.findings:
        by_file.setdefault(one.path, []).append(one)
    failed = sum(any(one.severity in found.failing for one in those) for those in by_file.values())
    counts = {"tests": str(len(by_file)), "failures": str(failed), "errors": "0"}
    root = Element("testsuites", {"name": "doit lint", **counts})
    suite = SubElement(root, "testsuite", {"name": "lint", **counts, "skipped": "0"})
    for path, those in sorted(by_file.items()):
        _case(suite, path, those, found)
    if found.remarks:
        SubElement(suite, "system-out").text = "\n".join(found.remarks)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}'


def _case(suite: Element, path: str, those: Iterable[Finding], found: Found) -> None:
    folder, _, name = path.rpartition("/")
    case = SubElement(suite, "testcase", {"classname": folder or ".", "name": name, "file": f"{found.prefix}{path}"})
    failing = [one for one in those if one.severity in found.failing]
    others = [one for one in those if one.severity not in found.failing]
    if failing:
        SubElement(case, "failure", {"type": failing[0].code, "message": counted(failing)}).text = _told(failing)
    if others:
        SubElement(case, "system-out").text = _told(others)


def _told(findings: Iterable[Finding]) -> str:
    return "\n\n".join("\n".join(lines(one)) for one in findings)
