"""The process that runs a database server for as long as somebody uses it: ``python -m tools.keeper MODULE HOME …``.

Every run that uses the server holds a shared lock on HOME/lease. The keeper tries to take that lock exclusively; when
it gets it, nobody is left, and it stops the server and ends. Who comes in between waits for that lock.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from schemas.errors import GanderError, ServerError
from tools.lease import Lock

__all__ = ["Charge", "main"]

LOOK = 0.3  # seconds between two looks whether somebody still uses the server
TEND = 60.0  # seconds between two calls of a charge's own housekeeping
CLAIM = 2.0  # seconds to get the keeper's own lock: those who only look at it hold it for a moment


class Charge(Protocol):
    """The server that a keeper looks after; MODULE offers one by ``charge(home, arguments)``."""

    def start(self) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
        """Start the server, wait until it answers, say how to reach it (JSON-able); ServerError when it cannot."""

    def rest(self, child: subprocess.Popen[bytes]) -> None:
        """Stop the server that nobody uses, and leave what proves its contents."""

    def stop(self, child: subprocess.Popen[bytes]) -> None:
        """Stop the server at once, whoever uses it."""

    def tend(self) -> None:
        """Keep what a running server leaves on the disk within bounds."""


def main(arguments: list[str]) -> int:
    """Detach, start the server, tell the starter on standard output in one line of JSON, and look after the server."""
    module, home, *rest = arguments
    if os.fork():  # the starter waits for this process only, so that the keeper is nobody's zombie
        return 0
    try:
        _keep(import_module(module).charge(Path(home), rest), Path(home))
    except GanderError as error:
        _tell({"what": error.what, "why": error.why, "todo": error.todo})
        return 1
    except OSError as error:
        _tell(
            {
                "what": f"{error.filename or home}: {error.strerror}",
                "why": "",
                "todo": f"make {home} writable, with space on its disk",
            }
        )
        return 1
    return 0


def _keep(charge: Charge, home: Path) -> None:
    """Run the server until nobody uses it, it ends by itself, or this process is told to end."""
    own, lease, mark, facts = Lock(home / "keeper"), Lock(home / "lease"), home / "keep", home / "server.json"
    deadline = time.monotonic() + CLAIM
    while not own.take():
        if time.monotonic() > deadline:
            raise ServerError(f"another process already runs the server in {home}", todo="run the command again")
        time.sleep(0.01)
    told_to_end, woken = _listen()
    mark.unlink(missing_ok=True)  # whose `start` this was, that server is gone
    child, reach = charge.start()
    try:
        fresh = home / ".server"
        fresh.write_text(json.dumps({**reach, "keeper": os.getpid()}), encoding="utf-8")
        fresh.replace(facts)
        _tell({})
        tended = time.monotonic()
        while child.poll() is None:
            if select.select([woken], [], [], LOOK)[0]:
                os.read(woken, 512)
            if told_to_end:
                break
            if not mark.exists() and lease.take():
                charge.rest(child)
                break
            if time.monotonic() - tended > TEND:
                charge.tend()
                tended = time.monotonic()
    finally:
        if child.poll() is None:
            charge.stop(child)
        facts.unlink(missing_ok=True)
        mark.unlink(missing_ok=True)


def _listen() -> tuple[list[int], int]:
    """Catch the signals that end or wake the keeper: those to end by so far, and a descriptor that wakes a select."""
    received: list[int] = []
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda signum, _: received.append(signum))
    for number in (signal.SIGUSR1, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    return received, reader


def _tell(answer: dict[str, str]) -> None:
    """Answer the starter, and let go of its pipe; it may have been killed meanwhile."""
    try:
        os.write(sys.stdout.fileno(), json.dumps(answer).encode() + b"\n")
    except OSError:
        return
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
