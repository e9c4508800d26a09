"""What a finding is recognised by when lines have moved: its rule, its file, and the statement that it is in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256

from tasks.lint.file import File
from tasks.lint.finding import Finding, Lined

__all__ = ["context", "digest", "fingerprints"]

LENGTH = 16  # hexadecimal digits


def context(file: Lined, line: int) -> str:
    """A digest of the statement that a line is in, or of the line where it is in none; blanks do not count."""
    for one in file.statements if isinstance(file, File) else ():
        if one.line <= line <= one.statement.end_line:
            return digest(" ".join(one.text.split()))
    return digest(" ".join(file.line(line).split()))


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
