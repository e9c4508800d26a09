"""How a run ends when it is told to: signals become an exit code, and what was started is stopped once."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

__all__ = ["stop_programs", "stopping", "told_to_stop"]

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 2.0  # seconds for worker threads to notice that their program is gone
GLANCE = 0.02  # seconds between two looks at them

_stopped_by: list[int] = []


@contextmanager
def stopping() -> Iterator[ExitStack]:
    """A stack of things to do at the end. The first signal ends the body with SystemExit(128 + n), later ones wait.

    A signal that was ignored at the start (nohup) stays ignored.
    """
    heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    for number in heard:
        signal.signal(number, _end)
    with ExitStack() as stack:
        yield stack


def told_to_stop() -> bool:
    """Whether a signal has come: a worker that asks should not begin anything new."""
    return bool(_stopped_by)


def stop_programs(busy: Collection[str] = ()) -> None:
    """End the programs and containers that still run, and let the threads that drive them notice."""
    doors = [door for name in ("tools.children", "tools.docker") if (door := sys.modules.get(name))]
    deadline = time.monotonic() + PATIENCE
    for door in doors:
        door.stop_all()
    while doors and busy and time.monotonic() < deadline:
        time.sleep(GLANCE)
    for door in doors:
        door.stop_all()


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the form of a signal handler
    if _stopped_by:
        return
    _stopped_by.append(number)
    raise SystemExit(128 + number)
