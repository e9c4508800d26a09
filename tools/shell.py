"""The one door to other programs: argument lists, a deadline, a minimal environment, redacted output."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ToolError, ToolTimeout

__all__ = [
    "Answered",
    "Dialogue",
    "Finished",
    "converse",
    "hide",
    "inherited",
    "on_terminal",
    "redact",
    "run",
    "stop_all",
]

PASSED_ON = ("HOME", "PATH", "TMPDIR", "LANG", "LC_ALL", "TZ", "USER", "LOGNAME")
GRACE = 3.0  # seconds between asking a program to end and killing it
OUTPUT_LIMIT = 8 * 1024 * 1024  # bytes kept of what one program prints

_secrets: set[str] = set()
_children: set[subprocess.Popen[bytes]] = set()
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
    child = _started(
        command, environment, cwd, stdin=subprocess.DEVNULL, dying=_death_signal() if bound_to_us else None
    )
    try:
        out, err = _read(child, began + timeout, on_line)
    except TimeoutError:
        _end(child)
        raise ToolTimeout(f"{name} did not end within {timeout:.0f} s and was stopped") from None
    except BaseException:
        _end(child)
        raise
    finally:
        with _lock:
            _children.discard(child)
        for stream in (child.stdout, child.stderr):
            if stream:
                stream.close()
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
    child = _started(command, environment, cwd, stdin=subprocess.PIPE)
    try:
        out, err = child.communicate(given, timeout)
    except subprocess.TimeoutExpired:
        raise ToolTimeout(f"{name} did not end within {timeout:.0f} s and was stopped") from None
    finally:
        _end(child)
        with _lock:
            _children.discard(child)
        for stream in (child.stdin, child.stdout, child.stderr):
            if stream:
                stream.close()
    return Answered(code=child.returncode, out=out, err=redact(err.decode(errors="replace")))


class Dialogue:
    """A program that stays and is asked again and again, in bytes; for one thread at a time.

    What it says is whole and not redacted, so never to be shown. Raises ToolError when it cannot be started or has
    ended, and ToolTimeout when it says nothing for ``timeout`` seconds.
    """

    def __init__(
        self, command: Sequence[str | Path], *, environment: Mapping[str, str], timeout: float, cwd: Path | None = None
    ) -> None:
        self.name, self.timeout = Path(command[0]).name, timeout
        self._child = _started(command, environment, cwd, stdin=subprocess.PIPE)
        self._held, self._complaint = bytearray(), bytearray()
        self._selector = selectors.DefaultSelector()
        for stream, kept in ((self._child.stdout, self._held), (self._child.stderr, self._complaint)):
            if stream:
                self._selector.register(stream.fileno(), selectors.EVENT_READ, kept)

    def tell(self, data: bytes) -> None:
        """Give it that much to read: less than a pipe holds, as nobody reads its answer meanwhile."""
        stdin = self._child.stdin
        try:
            if stdin:
                stdin.write(data)
                stdin.flush()
        except OSError:
            raise self._ended() from None

    def line(self) -> bytes:
        """The next line of its answer, without its end."""
        while (end := self._held.find(b"\n")) < 0:
            self._more()
        return self._taken(end + 1)[:-1]

    def exactly(self, count: int) -> bytes:
        """The next bytes of its answer."""
        while len(self._held) < count:
            self._more()
        return self._taken(count)

    def close(self) -> None:
        """End it."""
        _end(self._child)
        with _lock:
            _children.discard(self._child)
        self._selector.close()
        for stream in (self._child.stdin, self._child.stdout, self._child.stderr):
            with suppress(OSError):  # what it was told last is lost with it
                if stream:
                    stream.close()

    def _taken(self, count: int) -> bytes:
        taken = bytes(self._held[:count])
        del self._held[:count]
        return taken

    def _more(self) -> None:
        ready = self._selector.select(self.timeout)
        if not ready:
            raise ToolTimeout(f"{self.name} said nothing for {self.timeout:.0f} s and was stopped")
        for key, _ in ready:
            chunk = os.read(key.fd, 1 << 20)
            key.data.extend(chunk)
            if not chunk:
                self._selector.unregister(key.fd)
                if key.data is self._held:
                    raise self._ended()

    def _ended(self) -> ToolError:
        said = redact(self._complaint.decode(errors="replace").strip()[-2000:])
        return ToolError(f"{self.name} ended before it had answered", why=said)


def on_terminal(command: Sequence[str | Path]) -> int:
    """Run a program that the user works with, on the user's own terminal and with the whole environment.

    Its exit code. Raises ToolError when it cannot be started.
    """
    try:
        return subprocess.run([str(word) for word in command], stdout=sys.stderr, check=False).returncode
    except OSError as error:
        raise ToolError(f"{command[0]} cannot be started", why=error.strerror or "") from error


def stop_all() -> None:
    """End every program that this process still runs: first asked, then killed."""
    with _lock:
        children = tuple(_children)
    for child in children:
        _signal(child, signal.SIGTERM)
    for child in children:
        _end(child)


def _started(
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    cwd: Path | None,
    *,
    stdin: int,
    dying: Callable[[], None] | None = None,
) -> subprocess.Popen[bytes]:
    """The program in a session of its own, among those that `stop_all` ends."""
    try:
        child = subprocess.Popen(
            [str(word) for word in command],
            env=dict(environment),
            cwd=cwd,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=dying,  # noqa: PLW1509 - one system call, no allocation
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
