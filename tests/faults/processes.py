"""Which processes belong to a monorepo right now, told by /proc: goose, keepers, servers and their sessions."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["Process", "gone", "of"]

Kind = Literal["goose", "keeper", "postmaster", "backend", "other"]
GOODBYE = 10.0  # seconds: "a few" on a machine that is busy with other things


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A living process."""

    number: int
    kind: Kind
    command: str

    @property
    def doing(self) -> str:
        """What a session works on, by PostgreSQL's title of its process: ``INSERT``, ``idle in transaction``."""
        return self.command.partition(") ")[2] if self.kind == "backend" else ""


def of(root: Path) -> list[Process]:
    """The monorepo's processes except doit itself: they work in its folder, or name it on their command line."""
    return [
        Process(number=number, kind=_kind(command), command=command)
        for number, command in _all()
        if f"{root}/" in command or _works_in(number, root)
    ]


def gone(root: Path, patience: float = GOODBYE) -> list[Process]:
    """Wait until nothing of the monorepo runs; what is still there after the time."""
    deadline = time.monotonic() + patience
    while (left := of(root)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def _all() -> Iterator[tuple[int, str]]:
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            state = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[0]
            command = (folder / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ").strip()
        except OSError:  # it has ended
            continue
        if state not in "ZX" and command:
            yield int(folder.name), command


def _kind(command: str) -> Kind:
    name = command.partition(" ")[0].rpartition("/")[2]
    if " -m tools.keeper " in command:
        return "keeper"
    if name == "goose":
        return "goose"
    if name == "postgres:":
        return "backend" if " 127.0.0.1(" in command else "other"  # goose's sessions; ours come by the socket
    return "postmaster" if name == "postgres" and " -D " in command else "other"


def _works_in(number: int, root: Path) -> bool:
    try:
        return Path(f"/proc/{number}/cwd").readlink().is_relative_to(root)
    except OSError:
        return False
