"""The programs that this process runs, each in a session of its own: ended with all that they have started."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from schemas.errors import ToolError

__all__ = ["leave", "start", "stop_all"]

GRACE = 3.0  # seconds between asking a program to end and killing it

_children: set[subprocess.Popen[bytes]] = set()
_lock = threading.Lock()


def start(
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    cwd: Path | None,
    *,
    stdin: int,
    bound_to_us: bool = False,
) -> subprocess.Popen[bytes]:
    """The program in a session of its own, among those that `stop_all` ends.

    ``bound_to_us``: the kernel kills it when the calling thread dies (Linux). Raises ToolError when it cannot be
    started.
    """
    try:
        child = subprocess.Popen(
            [str(word) for word in command],
            env=dict(environment),
            cwd=cwd,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=_death_signal() if bound_to_us else None,  # noqa: PLW1509 - one system call, no allocation
        )
    except OSError as error:
        raise ToolError(
            f"{Path(command[0]).name} cannot be started",
            why=f"{command[0]}: {error.strerror}",
            todo="./run doit doctor",
        ) from error
    with _lock:
        _children.add(child)
    return child


def leave(child: subprocess.Popen[bytes]) -> None:
    """End it if it still runs, and close what leads to it."""
    _end(child)
    with _lock:
        _children.discard(child)
    for stream in (child.stdin, child.stdout, child.stderr):
        with suppress(OSError):  # what it was told last is lost with it
            if stream:
                stream.close()


def stop_all() -> None:
    """End every program that this process still runs: first asked, then killed."""
    with _lock:
        children = tuple(_children)
    for child in children:
        _signal(child, signal.SIGTERM)
    for child in children:
        _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        _signal(child, signal.SIGTERM)
        try:
            child.wait(GRACE)
        except subprocess.TimeoutExpired:
            _signal(child, signal.SIGKILL)
            child.wait()


def _signal(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(child.pid, number)
    except (ProcessLookupError, PermissionError):  # it has just ended
        child.poll()


def _death_signal() -> Callable[[], None] | None:
    """A function for the child that asks the kernel to kill it at its parent's death; None where none can be."""
    if os.uname().sysname != "Linux":
        return None
    import ctypes  # noqa: PLC0415 - start-up: only who binds a program needs it

    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def bind() -> None:
        prctl(1, signal.SIGKILL)  # 1 = PR_SET_PDEATHSIG, linux/prctl.h
        if os.getppid() != parent:  # it died before the call
            os._exit(1)

    return bind
