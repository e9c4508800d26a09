"""What a run of lint found, as a value that every format is written from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tasks.lint.finding import Finding, Severity, counted, plain

__all__ = ["Found", "failing"]


BASELINE = ".lint-baseline.json"


class Found(NamedTuple):
    """All findings of a run in order, and what they were looked for in. Nothing here depends on when or where."""

    findings: Sequence[Finding]
    files: Sequence[str]  # paths from the monorepo's root, in order
    notes: Sequence[str] = ()  # what was not checked, one sentence each
    failing: frozenset[Severity] = frozenset({"error"})  # the severities that make a run fail
    prefix: str = ""  # what stands before a path in the git repository: empty, or `backend/`
    known: int = 0  # findings that are written down in .lint-baseline.json
    gone: int = 0  # findings that are written down there, and are there no more
    base: str = ""  # the branch that a report is limited by
    untouched: Sequence[Finding] = ()  # what is only counted: findings in files that this branch does not touch

    @property
    def summary(self) -> str:
        """``2 errors, 1 warning in 2 of 10 files``; ``clean: 10 files``."""
        many = len(self.files)
        files = f"{many} {'file' if many == 1 else 'files'}"
        if not self.findings:
            return f"clean: {files}"
        return f"{counted(self.findings)} in {len({one.path for one in self.findings})} of {files}"

    @property
    def remarks(self) -> list[str]:
        """What is to be said beside the findings, a line each."""
        said = [f"not checked: {note}" for note in self.notes]
        if self.base:
            files = len({one.path for one in self.untouched})
            in_files = f" in {files} {'file' if files == 1 else 'files'}" if files else ""
            said.append(f"what this branch has not touched since {self.base}: {counted(self.untouched)}{in_files}")
        if self.known:
            said.append(f"known, and not shown: {self.known} in {BASELINE}")
        if self.gone:
            said.append(f"known and gone: {self.gone} in {BASELINE} (→ doit lint baseline=write)")
        return said

    @property
    def plain(self) -> Found:
        """The same with paths that any reader takes, whatever files are called."""
        if all(map(str.isprintable, self.files)) and all(one.path.isprintable() for one in self.findings):
            return self
        return self._replace(
            findings=[one._replace(path=plain(one.path)) for one in self.findings],
            files=[plain(one) for one in self.files],
        )

    def worst_first(self, severities: Iterable[Severity]) -> list[Finding]:
        """The findings by severity, each severity in their own order."""
        return [one for severity in severities for one in self.findings if one.severity == severity]


def failing(variables: Mapping[str, str]) -> frozenset[Severity]:
    """The severities that make a run with these variables fail."""
    return frozenset({"error", "warning"} if variables.get("strict") == "true" else {"error"})
