"""The report of a run: what all its lint targets found, written once when the run ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import Lock
from types import MappingProxyType

from schemas.errors import Refused
from tasks.lint.finding import Finding, in_order
from tasks.lint.formats import written
from tasks.lint.found import Found, failing
from tasks.lint.known import Row
from tasks.work import Work
from tools import git, whole

__all__ = ["Report", "report"]


class Report:
    """Filled by every lint target of a run, from any thread."""

    def __init__(self, work: Work) -> None:
        self._form = work.variables.get("format", "text")
        self._output = work.variables.get("output")
        self._base = work.variables.get("base", "")
        self._failing = failing(work.variables)
        self._root, self._out, self._say = work.catalog.root, work.out, work.progress.line
        self._lock = Lock()
        self._findings: list[Finding] = []
        self._untouched: list[Finding] = []
        self._known: list[Finding] = []
        self._gone: dict[Row, int] = {}
        self._files: set[str] = set()
        self._notes: set[str] = set()

    def add(
        self,
        findings: Iterable[Finding],
        files: Iterable[str],
        notes: Iterable[str] = (),
        *,
        untouched: Iterable[Finding] = (),
        known: Iterable[Finding] = (),
        gone: Mapping[Row, int] = MappingProxyType({}),
    ) -> None:
        """What one target found, in which files (paths from the root), and what it did not check; see `Found`."""
        with self._lock:
            self._findings += findings
            self._untouched += untouched
            self._files.update(files)
            self._notes.update(notes)
            self._known += known
            self._gone |= gone

    def close(self) -> None:
        """Write the report: to stdout, or whole into the file that was named. Raises Refused where that cannot be."""
        found = Found(
            findings=in_order(self._findings),
            files=sorted(self._files),
            notes=sorted(self._notes),
            failing=self._failing,
            prefix=_prefix(self._root),
            known=len(in_order(self._known)),
            gone=sum(self._gone.values()),
            base=self._base,
            untouched=in_order(self._untouched),
        )
        shown = written(self._form, found)
        if self._output:
            _write(_place(self._output, self._root), f"{shown}\n" if shown else "")
            self._say(f"{self._output}: {found.summary}")
        elif shown:
            self._out(shown)


def report(work: Work) -> Report:
    """The report of the run that a target belongs to; made by the first that asks. Raises Refused: see `Report`."""
    return work.session.shared("lint", lambda: Report(work))


def _write(file: Path, text: str) -> None:
    try:
        whole.replace(file, text)
    except OSError as error:
        raise Refused(f"the report cannot be written: {error.strerror}", where=str(file)) from error


def _place(named: str, root: Path) -> Path:
    """The file that gets the report, relative to the monorepo's root.

    Raises Refused for a folder, one in a folder that is not there, and a file that git has: it is no old report.
    """
    file = root / named
    if file.is_dir() or not file.parent.is_dir():
        why = "is a folder" if file.is_dir() else "is in a folder that is not there"
        raise Refused(f"`output={named}`: {file} {why}", todo="name a file in a folder that is there")
    repository = git.find(root) if file.exists() else None
    if repository and repository.has(file):
        raise Refused(f"`output={named}`: git has this file, and a report would overwrite it", todo="name another file")
    return file


def _prefix(root: Path) -> str:
    """How paths of the monorepo begin in its git repository, which is where other programs look for them."""
    for place in (root, *root.parents):
        if (place / ".git").exists():
            inner = root.relative_to(place).as_posix()
            return "" if inner == "." else f"{inner}/"
    return ""
