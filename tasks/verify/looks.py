"""What a run has just looked at to see whether a release is rolled out: its proof is judged from the same facts."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

from schemas.target import Target
from tasks.verify.gather import Gathered
from tasks.verify.release import Release
from tasks.work import Work

__all__ = ["NOW", "Look", "Looks", "looks"]

NOW = 10.0  # seconds: what was seen longer ago is looked at again


class Look(NamedTuple):
    """All facts of a release, and the release that they were gathered for."""

    release: Release
    gathered: Gathered


class Looks:
    """The looks of a run, each to be judged once; safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock, self._lock = clock, Lock()
        self._held: dict[tuple[str | None, str], tuple[float, Look]] = {}

    def keep(self, target: Target, look: Look, began: float) -> None:
        """Hold what was looked at since then, by this clock."""
        with self._lock:
            self._held[target.service, target.environment] = began, look

    def take(self, target: Target) -> Look | None:
        """What was just seen of a release, and of nobody else any more; None where that is not now."""
        with self._lock:
            began, look = self._held.pop((target.service, target.environment), (0.0, None))
        return look if look and self.clock() - began <= NOW else None

    def close(self) -> None:
        """Forget them."""
        self._held.clear()


def looks(work: Work) -> Looks:
    """Those of the run that a target belongs to."""
    return work.session.shared("looks", Looks)
