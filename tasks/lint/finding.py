"""What lint says about a place in a file: the flaw as its rule yields it, and the finding as a report shows it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, Protocol

__all__ = [
    "SEVERITIES",
    "Edit",
    "Finding",
    "Flaw",
    "Lined",
    "Severity",
    "counted",
    "excerpt",
    "in_order",
    "plain",
    "printable",
]

Severity = Literal["error", "warning", "advice"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "advice")
WIDEST = 160  # characters of a line that a finding shows


class Lined(Protocol):
    """A file of whatever kind."""

    @property
    def path(self) -> str:
        """Relative to the monorepo's root."""

    def line(self, number: int) -> str:
        """One line, from 1; empty where there is none."""


class Edit(NamedTuple):
    """A safe change: put ``text`` in place of these bytes of the file."""

    begin: int
    end: int
    text: str


class Flaw(NamedTuple):
    """What a rule's ``check`` yields; lines and columns count from 1, in characters.

    ``message`` is one sentence: what will happen, and to whom. ``instead`` is the exact text to write. Rules over a
    whole stream name the file by ``path``; ``severity`` is only given where it is not the rule's own.
    """

    message: str
    line: int = 1
    column: int = 1
    end_column: int = 0  # the one after the last marked character of the line; 0: only the place is known
    instead: str = ""
    path: str = ""
    severity: Severity | None = None
    fix: tuple[Edit, ...] = ()


class Finding(NamedTuple):
    """A flaw with its rule and the line that it is in."""

    code: str
    name: str
    severity: Severity
    path: str  # relative to the monorepo's root
    line: int
    column: int
    end_column: int
    message: str
    instead: str
    excerpt: str  # the line, or the part of a long one that holds the place; empty where there is none
    shift: int  # characters of the line that the excerpt leaves out at its beginning
    fix: tuple[Edit, ...] = ()
    context: str = ""  # a digest of the statement that it is in: see tasks/lint/fingerprint.py

    @property
    def where(self) -> str:
        """``path:line:column``."""
        return f"{self.path}:{self.line}:{self.column}"


def excerpt(line: str, column: int) -> tuple[str, int]:
    """What a finding shows of a line, and how many characters it leaves out before it."""
    text = line.rstrip()
    begin = max(0, min(column - 1 - WIDEST // 2, len(text) - WIDEST))
    return printable(text[begin : begin + WIDEST]), begin


def printable(text: str) -> str:
    """The text with a stand-in for whatever a terminal, JSON or XML would choke on; ends of lines and tabs stay."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in "\t\n" else "\ufffd" for one in text)


def plain(path: str) -> str:
    """A path with a stand-in for all that does not print, ends of lines too: a file may have any name."""
    return path if path.isprintable() else "".join(one if one.isprintable() else "\ufffd" for one in path)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Findings by file, place and code, each once."""
    return sorted(dict.fromkeys(findings), key=lambda one: (one.path, one.line, one.column, one.code, one.message))


def counted(findings: Iterable[Finding]) -> str:
    """``2 errors, 1 warning``; ``clean`` where there is none."""
    listed = list(findings)
    many = {severity: sum(one.severity == severity for one in listed) for severity in SEVERITIES}
    words = {"error": ("error", "errors"), "warning": ("warning", "warnings"), "advice": ("advice", "advice")}
    return ", ".join(f"{many[one]} {words[one][many[one] != 1]}" for one in SEVERITIES if many[one]) or "clean"
