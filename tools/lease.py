"""Who uses a server right now: locks on files, which the kernel takes back however their holder ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Lock"]

PAUSE = 0.02  # seconds between two looks at a lock that somebody else holds


class Lock:
    """One holder of an advisory lock on a file (flock(2)); not inherited by the programs that we start.

    The file itself is never removed: whoever had opened it would hold a lock that nobody else sees.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def take(self, *, shared: bool = False) -> bool:
        """Take the lock at once, or answer False because somebody holds one that excludes it."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600) if self._descriptor is None else self._descriptor
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            self._descriptor = None
            return False
        except OSError:
            os.close(descriptor)
            self._descriptor = None
            raise
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the lock back; without one, nothing happens."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    @contextmanager
    def held(self, *, shared: bool = False, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Hold the lock for the length of the context; ``waiting`` is called once if that takes over a second."""
        began = time.monotonic()
        told = False
        while not self.take(shared=shared):
            if not told and time.monotonic() - began > 1:
                waiting()
                told = True
            time.sleep(PAUSE)
        try:
            yield
        finally:
            self.release()

    def taken(self, *, shared: bool = False) -> bool:
        """Whether somebody holds a lock that excludes such a one; leaves no lock behind."""
        if not self.path.exists():
            return False
        probe = Lock(self.path)
        if probe.take(shared=shared):
            probe.release()
            return False
        return True
