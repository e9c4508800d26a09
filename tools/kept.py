"""How a run comes to use a server that a keeper runs: who is first starts it, who is last lets it go."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from schemas.errors import ServerError
from tools.engine import Say
from tools.lease import Lock

__all__ = ["Kept", "silent"]

PATIENCE = 300.0  # seconds for a server to start: recovery after a crash takes its time
MOMENT = 1.0  # seconds that need no explanation
FAREWELL = 150.0  # seconds for a server to stop
TAIL = 20  # lines of the keeper's log that an error quotes


def silent(line: str) -> None:
    """Take a line of progress and tell nobody."""


class Kept:
    """A server with all its files under ``home``; ``charge`` is the module that tells the keeper how to run it.

    ``title`` is how messages call it.
    """

    def __init__(self, *, home: Path, charge: str, title: str) -> None:
        self.home, self.charge, self.title = home, charge, title

    @contextmanager
    def used(self, prepare: Callable[[], tuple[str, ...]], say: Say) -> Iterator[dict[str, Any]]:
        """How to reach the server, which runs at least as long as the context lasts.

        ``prepare`` is called before a start, by one process at a time; its value is the charge's arguments.
        """
        with self._worded():
            self.home.mkdir(parents=True, exist_ok=True)
        stopping = f"{self.title} is about to stop; waiting to start it again"
        with Lock(self.home / "lease").held(shared=True, waiting=lambda: say(stopping)):
            with self._worded():
                facts = self.facts() or self._started(prepare, say)
            yield facts

    def facts(self) -> dict[str, Any] | None:
        """How to reach the server; None unless a keeper runs it and it is ready."""
        if not self.alive():
            return None
        try:
            facts: dict[str, Any] = json.loads((self.home / "server.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return facts

    def alive(self) -> bool:
        """Whether a keeper lives, ready or not."""
        return Lock(self.home / "keeper").taken(shared=True)

    def left(self) -> bool:
        """Whether nobody uses the server any more, so that its keeper stops it, or is about to: have it do so now."""
        lease = Lock(self.home / "lease")
        if lease.taken(shared=True):
            return True
        if (self.home / "keep").exists() or lease.taken() or not self.alive():
            return False
        self._wake()
        return True

    def let_go(self, say: Say) -> None:
        """Wait until a server that nobody uses has stopped, and say so when that takes more than a moment."""
        began, told = time.monotonic(), False
        while self.left() and time.monotonic() < began + FAREWELL:
            if not told and time.monotonic() > began + MOMENT:
                say(f"waiting for {self.title} to stop")
                told = True
            time.sleep(0.02)

    def keep(self) -> None:
        """Let the server run on when the last user has gone; called by a user."""
        with self._worded():
            (self.home / "keep").touch()

    def stop(self, orphaned: Callable[[], bool], say: Say) -> bool:
        """Take `keep` back and wait until the server has stopped, unless others use it; False when none was running.

        ``orphaned`` ends what a killed keeper may have left; it says whether there was something.
        """
        if not self.home.exists():
            return False
        with self._worded():
            (self.home / "keep").unlink(missing_ok=True)
            if not self.alive():
                with Lock(self.home / "starting").held():
                    return not self.alive() and orphaned()
            deadline = time.monotonic() + FAREWELL
            while self.alive():
                if not self.left() and Lock(self.home / "lease").taken():
                    say(f"{self.title} is in use by another run; it stops when the last one ends")
                    return True
                if time.monotonic() > deadline:
                    raise ServerError(f"{self.title} did not stop within {FAREWELL:.0f} s", todo="doit stop")
                time.sleep(0.03)
        return True

    def _started(self, prepare: Callable[[], tuple[str, ...]], say: Say) -> dict[str, Any]:
        """Start the server, or wait for whoever is starting it."""
        with Lock(self.home / "starting").held(waiting=lambda: say(f"waiting for another run to start {self.title}")):
            deadline = time.monotonic() + PATIENCE
            while self.alive():
                if facts := self.facts():
                    return facts
                if time.monotonic() > deadline:
                    raise ServerError(f"{self.title} did not start within {PATIENCE:.0f} s", todo="doit stop")
                time.sleep(0.02)
            (self.home / "server.json").unlink(missing_ok=True)
            arguments = prepare()
            say(f"starting {self.title}")
            self._launch(arguments)
            facts = self.facts()
            if not facts:
                raise ServerError(
                    f"{self.title} ended right after its start", why=self._tail(), todo="./run doit doctor"
                )
            return facts

    def _launch(self, arguments: tuple[str, ...]) -> None:
        """Start the keeper, detached from this process and its terminal, and wait for its answer."""
        from tools.shell import inherited, redact  # noqa: PLC0415 - start-up: only a start runs programs

        log = self.home / "keeper.log"
        with log.open("wb") as errors:
            keeper = subprocess.Popen(
                [sys.executable, "-P", "-m", "tools.keeper", self.charge, str(self.home), *arguments],
                env={**inherited(), "PYTHONPATH": str(Path(__file__).parents[1])},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        with keeper:
            line = keeper.stdout.readline() if keeper.stdout else b""
        if not line:
            raise ServerError(f"{self.title} could not be started", why=self._tail(), todo="./run doit doctor")
        answer = json.loads(line)
        if answer:
            raise ServerError(redact(answer["what"]), why=redact(answer["why"]), todo=answer["todo"])

    def _wake(self) -> None:
        """Have the keeper look at once; its lock says that the process id is still its own."""
        facts = self.facts()
        if facts:
            try:
                os.kill(facts["keeper"], signal.SIGUSR1)
            except (ProcessLookupError, PermissionError):  # it has just ended, or looks by itself soon
                return

    def _tail(self) -> str:
        from tools.shell import redact  # noqa: PLC0415 - the same

        try:
            lines = (self.home / "keeper.log").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        return redact("\n".join(lines[-TAIL:]))

    @contextmanager
    def _worded(self) -> Iterator[None]:
        """Turn what the file system refuses into a ServerError."""
        try:
            yield
        except OSError as error:
            raise ServerError(
                f"{self.title} cannot use its folder {self.home}",
                why=f"{error.filename or self.home}: {error.strerror}",
                todo="make the folder writable for you, with space on its disk, and run the command again",
            ) from error
