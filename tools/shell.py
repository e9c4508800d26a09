"""The one door to other programs: argument lists, a deadline, a minimal environment, redacted output."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ToolError, ToolTimeout
from tools.children import leave, start

__all__ = ["Answered", "Finished", "converse", "hide", "inherited", "on_terminal", "redact", "run"]

PASSED_ON = ("HOME", "PATH", "TMPDIR", "LANG", "LC_ALL", "TZ", "USER", "LOGNAME")
OUTPUT_LIMIT = 8 * 1024 * 1024  # bytes kept of what one program prints

_secrets: set[str] = set()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How a program ended: its exit code (negative: the signal that ended it) and what it printed.

    Redacted, but for the ``out`` of who has asked for it raw.
    """

    code: int
    out: str
    err: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """How a program ended that was given something to read: its exit code, its bytes, and its redacted complaint."""

    code: int
    out: bytes
    err: str


def hide(secret: str) -> None:
    """Have this text replaced by ``*****`` wherever a program's output or an error passes through `redact`."""
    if secret:
        with _lock:
            _secrets.add(secret)


def redact(text: str) -> str:
    """The text without any of the secrets that this process knows."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, "*****")
    return text


def inherited(*names: str) -> dict[str, str]:
    """The few variables that every program may see, and those named: a base for ``environment``."""
    return {name: os.environ[name] for name in (*PASSED_ON, *names) if name in os.environ}


def run(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    timeout: float,
    cwd: Path | None = None,
    on_line: Callable[[str], None] | None = None,
    bound_to_us: bool = False,
    raw: bool = False,
) -> Finished:
    """Run a program to its end and return how it ended; a non-zero exit is for the caller to judge.

    ``environment`` is the whole environment of the program; ``timeout`` is in seconds; ``on_line`` gets each
    redacted line of both its outputs as it comes. With ``bound_to_us`` the kernel kills it
    when the calling thread dies (Linux, prctl(2) PR_SET_PDEATHSIG; elsewhere it lives on). ``raw``: its standard output
    is read as it is, since a password may be a part of a path; it is not to be shown then without `redact`.
    Raises ToolError when it cannot be started and ToolTimeout past the deadline, after ending it.
    """
    name = Path(command[0]).name
    began = time.monotonic()
    child = start(command, environment, cwd, stdin=subprocess.DEVNULL, bound_to_us=bound_to_us)
    try:
        out, err = _read(child, began + timeout, on_line)
    except TimeoutError:
        raise ToolTimeout(f"{name} did not end within {timeout:.0f} s and was stopped") from None
    finally:
        leave(child)
    return Finished(
        code=child.returncode, out=out if raw else redact(out), err=redact(err), seconds=time.monotonic() - began
    )


def converse(
    command: Sequence[str | Path],
    given: bytes,
    *,
    environment: Mapping[str, str],
    timeout: float,
    cwd: Path | None = None,
) -> Answered:
    """Give a program its input and return its output as it is: bytes, whole and not redacted, so never to be shown.

    Raises ToolError when it cannot be started and ToolTimeout past the deadline, after ending it.
    """
    name = Path(command[0]).name
    child = start(command, environment, cwd, stdin=subprocess.PIPE)
    try:
        out, err = child.communicate(given, timeout)
    except subprocess.TimeoutExpired:
        raise ToolTimeout(f"{name} did not end within {timeout:.0f} s and was stopped") from None
    finally:
        leave(child)
    return Answered(code=child.returncode, out=out, err=redact(err.decode(errors="replace")))


def on_terminal(command: Sequence[str | Path]) -> int:
    """Run a program that the user works with, on the user's own terminal and with the whole environment.

    Its exit code. Raises ToolError when it cannot be started.
    """
    try:
        return subprocess.run([str(word) for word in command], stdout=sys.stderr, check=False).returncode
    except OSError as error:
        raise ToolError(f"{command[0]} cannot be started", why=error.strerror or "") from error


def _read(child: subprocess.Popen[bytes], deadline: float, on_line: Callable[[str], None] | None) -> tuple[str, str]:
    """Gather both outputs until the program has ended; TimeoutError past the deadline."""
    assert child.stdout is not None  # noqa: S101 - for the type checker: both are pipes
    assert child.stderr is not None  # noqa: S101
    out, err = child.stdout.fileno(), child.stderr.fileno()
    kept, rest = {out: bytearray(), err: bytearray()}, {out: bytearray(), err: bytearray()}
    with selectors.DefaultSelector() as selector:
        for descriptor in kept:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            for key, _ in selector.select(left):
                chunk = os.read(key.fd, 65536)
                if not chunk:
                    selector.unregister(key.fd)
                room = OUTPUT_LIMIT - len(kept[key.fd])
                kept[key.fd] += chunk[: max(room, 0)]
                if on_line:
                    rest[key.fd] = _lines(rest[key.fd] + chunk, on_line, last=not chunk)
    try:
        child.wait(max(deadline - time.monotonic(), 0))
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    return kept[out].decode(errors="replace"), kept[err].decode(errors="replace")


def _lines(data: bytearray, on_line: Callable[[str], None], *, last: bool) -> bytearray:
    """Hand on every whole line, and at the end of the output what has no line end; return what is still to come."""
    *lines, rest = data.split(b"\n")
    for line in [*lines, rest] if last and rest else lines:
        on_line(redact(line.decode(errors="replace")))
    return bytearray() if last else rest
