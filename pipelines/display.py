"""Where a run's lines go: plain ones on stderr for pipes and CI, data on stdout, and what a display must offer."""

from __future__ import annotations

import os
import select
import sys
from threading import RLock
from typing import Protocol

from pipelines.ending import told_to_stop

__all__ = ["Display", "Plain", "abandon_stdout", "data", "duration", "for_this_terminal", "redacted", "say"]

GLANCE = 0.2  # seconds between two looks whether the run was told to stop


class Display(Protocol):
    """Shows a run to its user; safe to use from any thread."""

    def line(self, text: str, style: str = "") -> None:
        """Show a line that stays; on a terminal its first word takes the style."""

    def begin(self, name: str) -> None:
        """A job begins."""

    def end(self, name: str) -> None:
        """A job has ended."""

    def now(self, name: str, text: str) -> None:
        """Say what a job is doing."""

    def file(self, name: str, file: str, seconds: float | None, done: int, total: int) -> None:
        """A job has run one of its files."""

    def ask(self, question: str) -> str | None:
        """What the user types in reply; None when there is no terminal to ask on."""

    def out(self, text: str) -> None:
        """Write data to stdout."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class Plain:
    """Lines without control codes."""

    def __init__(self) -> None:
        self.lock = RLock()

    def line(self, text: str, style: str = "") -> None:  # noqa: ARG002 - a pipe has no styles
        """Write the line."""
        with self.lock:
            say(text)

    def begin(self, name: str) -> None:
        """Say nothing: a job has one line, at its end."""

    def end(self, name: str) -> None:
        """Say nothing."""

    def now(self, name: str, text: str) -> None:
        """Write a line of its own, so that a log shows what was waited for."""
        self.line(f"  {name}: {text}")

    def file(self, name: str, file: str, seconds: float | None, done: int, total: int) -> None:
        """Say nothing: the job's own line counts its files."""

    def ask(self, question: str) -> str | None:
        """Ask on stderr, so that stdout holds data alone."""
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return None
        with self.lock:
            sys.stderr.write(question)
            sys.stderr.flush()
            while not select.select([sys.stdin], [], [], GLANCE)[0]:
                if told_to_stop():  # the run ends, and must get the lock that is held here
                    return None
            reply = sys.stdin.readline()
        return reply.rstrip("\n") if reply else None

    def out(self, text: str) -> None:
        """Write the data, a line or a whole document; a reader that has gone, such as `head`, misses the rest."""
        with self.lock:
            try:
                data(text)
            except BrokenPipeError:
                abandon_stdout()

    def close(self) -> None:
        """Nothing was changed."""


def for_this_terminal() -> Display:
    """The display that fits stderr: live on a terminal, plain in pipes and in CI."""
    ci = os.environ.get("CI", "").lower() not in {"", "0", "false"}
    if not ci and os.environ.get("TERM") != "dumb" and sys.stderr.isatty():
        from pipelines.terminal import Terminal  # noqa: PLC0415 - start-up: a pipe needs none of it

        return Terminal()
    return Plain()


def say(text: str) -> None:
    """Write a line for the user to stderr, without secrets."""
    sys.stderr.write(f"{redacted(text)}\n")
    sys.stderr.flush()


def data(text: str) -> None:
    """Write what was asked for to stdout."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def abandon_stdout() -> None:
    """Let what could not be written go, or Python would try again when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def redacted(text: str) -> str:
    """The text without secrets; only the door to other programs knows any."""
    shell = sys.modules.get("tools.shell")
    return str(shell.redact(text)) if shell else text


def duration(seconds: float) -> str:
    """``0.4 s``, ``2 min 5 s``."""
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"  # noqa: PLR2004 - s a minute
