"""Whether .venv holds what the lock files say; it is made, and filled by pip, where it does not."""

from __future__ import annotations

import importlib.util
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from schemas.errors import GanderError, ToolError
from tools.lease import Lock
from tools.toolchain.store import pip_install, step

__all__ = ["fill", "install"]

Stamp = Callable[[str], tuple[str, str]]
"""Gives a group's stamp: its file, and what it says while the group is installed as its lock file wants it."""

GROUPS = ("base", "test")
UNFINISHED = "installing"  # what a stamp says meanwhile: a killed pip leaves packages that pip takes for whole


def install(root: str, groups: Sequence[str], stamp: Stamp) -> None:
    """Make .venv hold these groups, for the script `run`: ends the process with one message when that fails."""
    try:
        fill(Path(root), groups, stamp)
    except KeyboardInterrupt:
        _say("interrupted; the same command goes on from here")
        sys.exit(128 + signal.SIGINT)
    except GanderError as error:
        sys.exit(f"run: {error}")
    except OSError as error:
        reason = f"run: {error.filename or root} cannot be written: {error.strerror}"
        sys.exit(f"{reason}\n  → make the folder writable for you, or free some space on its disk; then run this again")


def fill(root: Path, groups: Sequence[str], stamp: Stamp) -> None:
    """Make .venv hold these groups; of two processes that want it at once, one does it and the other waits.

    Raises ToolError when the venv cannot be made or pip fails, and OSError when a file cannot be written.
    """
    home, tools = root / ".venv", root / ".tools"
    tools.mkdir(exist_ok=True)
    with Lock(tools / "venv.lock").held(waiting=lambda: _say("waiting for another ./run, which is installing")):
        if not _sound(home, groups, stamp):
            _make(home)
        for group in groups:
            path, text = Path(stamp(group)[0]), stamp(group)[1]
            if _reads(path) != text:
                _write(path, UNFINISHED)
                lock = root / "tools" / "locks" / f"{group}.txt"
                _say(f"installing the packages of tools/locks/{group}.txt")
                pip_install(lock, python=home / "bin" / "python")
                _write(path, text)


def _sound(home: Path, groups: Sequence[str], stamp: Stamp) -> bool:
    """Whether .venv can be added to: base is in place, and what else is wanted is in place or was never begun."""
    if not (home / "bin" / "python").exists():
        return False
    found = {group: (_reads(Path(stamp(group)[0])), stamp(group)[1]) for group in {"base", *groups}}
    return all(there == text or (there is None and group != "base") for group, (there, text) in found.items())


def _make(home: Path) -> None:
    """Make an empty venv, instead of the one that is there, with the project's root on its path."""
    if not importlib.util.find_spec("ensurepip"):
        raise ToolError(
            f"this Python cannot make a virtual environment: {sys.executable} has no ensurepip",
            todo="install it (Debian, Ubuntu: apt-get install python3-venv), then run the command again",
        )
    for group in GROUPS:
        (home / f"{group}.stamp").unlink(missing_ok=True)
    _say(f"making .venv with Python {sys.version.split()[0]}")
    step(
        [sys.executable, "-I", "-m", "venv", "--clear", home],
        what="making .venv",
        todo="put right what the lines above say, then run the command again",
    )
    packages = home / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    (packages / "gander.pth").write_text(f"{home.parent}\n", encoding=sys.getfilesystemencoding())


def _reads(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _write(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def _say(text: str) -> None:
    sys.stderr.write(f"run: {text}\n")
    sys.stderr.flush()
