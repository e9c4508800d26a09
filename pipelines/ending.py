"""How a run ends when it is told to: signals become an exit code, and what was started is stopped once."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

__all__ = ["stop_programs", "stopping", "told_to_stop", "whole"]

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 2.0  # seconds for worker threads to notice that their program is gone
GLANCE = 0.02  # seconds between two looks at them

_stopped_by: list[int] = []
_whole: list[bool] = []  # an entry for each thing that the main thread is doing and that a signal must not break off


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


@contextmanager
def whole() -> Iterator[None]:
    """What is done in it is done to its end; the signal that came in between ends the run after it."""
    if threading.current_thread() is not threading.main_thread():  # no signal is handled there
        yield
        return
    before = len(_stopped_by)
    _whole.append(True)
    try:
        yield
    finally:
        _whole.pop()
    if not _whole and len(_stopped_by) > before:
        raise SystemExit(128 + _stopped_by[0])


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
    if not _whole:
        raise SystemExit(128 + number)
