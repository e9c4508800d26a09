"""The report of a run: what all its lint targets found, written once when the run ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Lock

from tasks.lint.finding import Finding, in_order
from tasks.lint.text import text

__all__ = ["Report"]


class Report:
    """Filled by every lint target of a run, from any thread."""

    def __init__(self, out: Callable[[str], None]) -> None:
        self.out = out
        self._lock = Lock()
        self._findings: list[Finding] = []
        self._notes: set[str] = set()
        self._files = 0

    def add(self, findings: Iterable[Finding], files: int) -> None:
        """What one target found in that many files."""
        with self._lock:
            self._findings += findings
            self._files += files

    def note(self, text: str) -> None:
        """Something that was not checked, said once."""
        with self._lock:
            self._notes.add(text)

    def close(self) -> None:
        """Write the report."""
        shown = text(in_order(self._findings), self._files, sorted(self._notes))
        if shown:
            self.out(shown)
