"""The report as workflow commands of GitHub Actions, which show findings as annotations in a pull request.

Escapes are those of actions/toolkit (packages/core/src/command.ts). A step shows ten annotations of each kind, as
GitHub's documentation of Actions' limits says; what comes after them is counted on one line.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.lint.finding import SEVERITIES, Finding, Severity, counted
from tasks.lint.found import Found

__all__ = ["write"]

SHOWN = 10  # annotations of a kind
COMMANDS: dict[Severity, str] = {"error": "error", "warning": "warning", "advice": "notice"}


def write(found: Found) -> str:
    """A command a finding as far as they are shown, one line for the rest, and one that counts all."""
    shown: list[Finding] = []
    rest: list[Finding] = []
    for severity in SEVERITIES:
        those = found.worst_first([severity])
        shown += those[:SHOWN]
        rest += those[SHOWN:]
    lines = [_command(one, found.prefix) for one in shown]
    lines += [f"and {counted(rest)} more: doit lint shows all of them"] if rest else []
    lines += [found.summary] if found.findings else []
    lines += found.remarks
    return "\n".join(lines)


def _command(one: Finding, prefix: str) -> str:
    properties = ",".join(f"{name}={_property(value)}" for name, value in _properties(one, prefix))
    advice = f"\nwrite:\n{one.instead}" if one.instead else ""
    return f"::{COMMANDS[one.severity]} {properties}::{_data(one.message + advice)}"


def _properties(one: Finding, prefix: str) -> Iterator[tuple[str, str]]:
    yield "file", f"{prefix}{one.path}"
    yield "line", str(one.line)
    yield "col", str(one.column)
    if one.end_column:
        yield "endColumn", str(one.end_column)
    yield "title", f"{one.code} {one.name}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
