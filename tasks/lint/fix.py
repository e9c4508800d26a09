"""What safe fixes make of a file."""

from __future__ import annotations

from collections.abc import Iterable

from tasks.lint.finding import Finding

__all__ = ["fixed"]


def fixed(data: bytes, findings: Iterable[Finding]) -> bytes:
    """The file with the edits of these findings; of two that overlap, the first alone."""
    edits = sorted({edit for one in findings for edit in one.fix})
    pieces: list[bytes] = []
    at = 0
    for begin, end, text in edits:
        if begin >= at:
            pieces += [data[at:begin], text.encode()]
            at = end
    return b"".join([*pieces, data[at:]])
