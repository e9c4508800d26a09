"""One release that is synced: what its branch says, and whom to ask about it."""

from __future__ import annotations

from typing import NamedTuple

from schemas.catalog import EngineName
from tasks.sync.watch import Follows
from tasks.verify.facts import Expected
from tasks.verify.release import Release, release
from tasks.work import Work
from tools.argocd import Server
from tools.shell import redact

__all__ = ["Site"]


class Site(NamedTuple):
    """One release, and whom to ask about it."""

    work: Work
    target: str  # SERVICE@ENVIRONMENT
    server: Server
    follows: Follows
    written: Release
    expected: Expected

    @property
    def engines(self) -> dict[str, EngineName]:
        """The engine that each Job migrates."""
        return {one.job: one.engine for one in self.written.databases.values()}

    def read(self) -> Site:
        """The same as its branch has it now."""
        written = release(self.work, self.work.target)
        return self._replace(written=written, expected=written.expected(self.expected.namespace))

    def say(self, text: str) -> None:
        """What goes on now."""
        self.work.progress.now(redact(text))
