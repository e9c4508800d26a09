"""Which processes belong to a monorepo right now, told by /proc: its runs of doit and goose, keepers and servers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["Process", "gone", "of"]

Kind = Literal["doit", "goose", "keeper", "postmaster", "backend", "other"]
GOODBYE = 8.0  # seconds: "a few" on a machine that has other things to do


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A living process; ``doing`` is what a session of goose's works on, by PostgreSQL's title of its process."""

    number: int
    parent: int
    kind: Kind
    command: str

    @property
    def doing(self) -> str:
        """``INSERT``, ``CREATE INDEX``, ``idle in transaction``; empty for anything but a session."""
        return self.command.partition(") ")[2] if self.kind == "backend" else ""


def of(root: Path) -> list[Process]:
    """The monorepo's processes: a server and keeper name its folder, goose has it in its environment."""
    found: dict[int, Process] = {}
    rest: list[Process] = []
    for process in _all():
        words = process.command.split("\0")
        name = words[0].rpartition("/")[2]
        if "tools.keeper" in words and f"{root}/" in process.command:
            found[process.number] = _as(process, "keeper")
        elif name == "postgres" and f"{root}/.state/postgres/data" in words:
            found[process.number] = _as(process, "postmaster")
        elif name in {"goose", "initdb"} and _works_in(process.number, root):
            found[process.number] = _as(process, "goose" if name == "goose" else "other")
        elif process.command.startswith("postgres: "):
            rest.append(process)
    for process in rest:
        if process.parent in found or _works_in(process.number, root):
            session = " 127.0.0.1(" in process.command
            found[process.number] = _as(process, "backend" if session else "other")
    return list(found.values())


def gone(root: Path, patience: float = GOODBYE) -> list[Process]:
    """Wait until nothing of the monorepo runs; what is still there after the time."""
    deadline = time.monotonic() + patience
    while (left := of(root)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def _all() -> Iterator[Process]:
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            state, parent = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
            command = (folder / "cmdline").read_bytes().decode(errors="replace").rstrip("\0")
        except OSError:  # it has ended
            continue
        if state != "Z" and command:
            yield Process(number=int(folder.name), parent=int(parent), kind="other", command=command)


def _as(process: Process, kind: Kind) -> Process:
    command = process.command.replace("\0", " ").strip()
    return Process(number=process.number, parent=process.parent, kind=kind, command=command)


def _works_in(number: int, root: Path) -> bool:
    try:
        return Path(f"/proc/{number}/cwd").readlink().is_relative_to(root) or (
            str(root).encode() in Path(f"/proc/{number}/environ").read_bytes()
        )
    except OSError:
        return False
