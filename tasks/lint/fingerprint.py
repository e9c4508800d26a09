"""What a finding is recognised by when lines have moved: its rule, its file, and the statement that it is in."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256

from tasks.lint.file import File
from tasks.lint.finding import Finding, Lined
from tasks.lint.sql import Sql

__all__ = ["context", "digest", "fingerprints"]

LENGTH = 16  # hexadecimal digits


def context(file: Lined, line: int) -> str:
    """A digest of the statement that a line is in, or of the line where it is in none; blanks do not count."""
    if isinstance(file, File):
        begins, those, known = file.once(_by_line)
        at = bisect_right(begins, line) - 1
        if at >= 0 and line <= those[at].statement.end_line:
            if at not in known:
                known[at] = digest(" ".join(those[at].text.split()))
            return known[at]
    return digest(" ".join(file.line(line).split()))


def _by_line(file: File) -> tuple[list[int], list[Sql], dict[int, str]]:
    """The statements in the order of their lines, and where each begins (of those on one line the first); digests."""
    those = {one.line: one for one in reversed(file.statements)}
    begins = sorted(those)
    return begins, [those[line] for line in begins], {}


def digest(*parts: str) -> str:
    """A short digest of texts."""
    return sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()[:LENGTH]


def fingerprints(findings: Iterable[Finding]) -> list[str]:
    """One a finding, all different: those that are alike otherwise are numbered in their order."""
    seen: Counter[tuple[str, str, str]] = Counter()
    made = []
    for one in findings:
        alike = (one.code, one.path, one.context)
        seen[alike] += 1
        made.append(digest(*alike, str(seen[alike])))
    return made
