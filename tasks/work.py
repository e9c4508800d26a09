"""What a step is given, and what it gives back: the shape of every function in ``tasks/``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Protocol, TypeVar, cast

from schemas.catalog import Catalog, EngineName
from schemas.target import Target
from tools import engines
from tools.engine import Baseline, Engine, Server

__all__ = ["Closing", "Outcome", "Progress", "Session", "Work"]


class Progress(Protocol):
    """Where a step tells the user how far it is; safe to use from any thread."""

    def now(self, text: str) -> None:
        """Say what is going on; on a terminal the next call replaces it, elsewhere it is a line of its own."""

    def file(self, name: str, seconds: float | None, done: int, total: int) -> None:
        """A migration file has been run: one of ``total``."""

    def line(self, text: str) -> None:
        """A line that stays."""

    def ask(self, question: str) -> str | None:
        """What the user types in reply; None when there is no terminal to ask on."""


class Closing(Protocol):
    """Something that several targets of a run use together, and that is closed when the run ends."""

    def close(self) -> None:
        """End it; what it raises is the run's error."""


Shared = TypeVar("Shared", bound=Closing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a step ended well: one phrase for its line, and what to remember (JSON-able)."""

    summary: str
    values: Mapping[str, Any] = field(default_factory=dict)
    but: str = ""  # what a good end is without, in a few words: its line and its place in a table say it
    exit_code: int = 0  # 1: an operation that looked and found something not in order (status)


class Session:
    """The servers that one run uses, and what its targets share: each is made once, when first needed, and ended."""

    def __init__(self, catalog: Catalog, say: Callable[[str], None]) -> None:
        self.catalog, self.say = catalog, say
        self._lock = Lock()
        self._closing = ExitStack()
        self._servers: dict[EngineName, Server] = {}
        self._scratch: dict[EngineName, Server] = {}
        self._shared: dict[str, Closing] = {}

    def engine(self, name: EngineName) -> Engine:
        """The engine of the local environment; asking for it starts nothing."""
        return engines.local(name, self.catalog)

    def server(self, name: EngineName) -> Server:
        """The running server of an engine."""
        with self._lock:
            if name not in self._servers:
                self._servers[name] = self._closing.enter_context(self.engine(name).serve(self.say))
            return self._servers[name]

    def scratch(self, name: EngineName, baseline: Baseline | None = None) -> Server:
        """A server of its own for tests, with nothing of anybody on it; gone when the run ends.

        A baseline that is no file yet is named by who asks first, as the server must know its clusters to start.
        """
        with self._lock:
            if name not in self._scratch:
                engine = engines.scratch(name, self.catalog, baseline)
                self._scratch[name] = self._closing.enter_context(engine.serve(self.say))
            return self._scratch[name]

    def shared(self, name: str, make: Callable[[], Shared]) -> Shared:
        """What the targets of this run share under that name; made by the first that asks, closed with the run."""
        with self._lock:
            if name not in self._shared:
                made = self._shared[name] = make()
                self._closing.callback(made.close)
            return cast("Shared", self._shared[name])

    def close(self) -> None:
        """Release every server; the last user's release stops an embedded one."""
        self._closing.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One call of a step: for one target, or for all that the command line selected of an operation."""

    catalog: Catalog
    targets: tuple[Target, ...]  # leaves; one for a step, any number for status, start, doctor
    variables: Mapping[str, str]  # name=value of the command line, checked against the step's own
    session: Session
    progress: Progress
    out: Callable[[str], None]  # data for stdout

    @property
    def target(self) -> Target:
        """The only target."""
        (target,) = self.targets
        return target
