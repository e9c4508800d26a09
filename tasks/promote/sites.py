"""What the releases of one run share: remotes, git's objects, and where branches are."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from tasks.promote.site import Site
from tasks.work import Work
from tools.git.objects import Kept
from tools.git.remote import Remote
from tools.git.repository import Repository

__all__ = ["MOMENT", "Sites", "sites"]

MOMENT = 2.0  # seconds


class Sites:
    """Remotes are found once; objects of git are kept open, for they never change. Safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.known: dict[Path, Remote] = {}  # as `tasks.promote.site.site` takes it
        self._clock, self._objects, self._lock = clock, Kept(), Lock()
        self._tips: dict[tuple[Remote, str], tuple[float, str]] = {}
        self._who: dict[Repository, str] = {}

    def tip(self, place: Site) -> str:
        """As `Site.tip`; who asks at the same moment is answered together. Raises as that does."""
        with self._lock:
            at, tip = self._tips.get((place.remote, place.branch), (0.0, ""))
            now = self._clock()
            if not tip or now - at > MOMENT:
                tip = place.tip()
                self._tips[place.remote, place.branch] = now, tip
            return tip

    def moved(self) -> None:
        """A branch was moved, or may have been: what is asked from now on is looked up again."""
        with self._lock:
            self._tips.clear()

    def who(self, repository: Repository) -> str:
        """As `Repository.who`, asked once."""
        if repository not in self._who:
            self._who[repository] = repository.who()
        return self._who[repository]

    def close(self) -> None:
        """Let git go."""
        self._objects.close()


def sites(work: Work) -> Sites:
    """Those of the run that a target belongs to."""
    return work.session.shared("sites", Sites)
