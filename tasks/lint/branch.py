"""What ``base=BRANCH`` limits a report to: the files that this branch adds or edits."""

from __future__ import annotations

from collections.abc import Iterable

from tasks.changes import commit
from tasks.lint.finding import Finding
from tasks.work import Work

__all__ = ["split"]


class Touched:
    """The paths that differ from where the work tree left a branch, asked once a run."""

    def __init__(self, work: Work) -> None:
        repository, found = commit(work.catalog, "base", work.variables["base"])
        self.paths = repository.changed(found)

    def close(self) -> None:
        """Nothing is open."""


def split(work: Work, findings: Iterable[Finding]) -> tuple[list[Finding], list[Finding]]:
    """The findings that are reported in full, and those that are only counted.

    Raises Refused where git has no such branch.
    """
    listed = list(findings)
    if "base" not in work.variables:
        return listed, []
    touched = work.session.shared("lint's branch", lambda: Touched(work)).paths
    return [one for one in listed if one.path in touched], [one for one in listed if one.path not in touched]
