"""Which processes belong to a monorepo right now, told by /proc: goose, keepers, servers and their sessions."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["Process", "gone", "of"]

Kind = Literal["goose", "keeper", "postmaster", "backend", "engine", "other"]
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


def of(root: Path, *, anywhere: bool = False) -> list[Process]:
    """The monorepo's processes except doit itself: they work in its folder, or at the top and name it.

    With ``anywhere`` also those that name it and work elsewhere, as Prisma does.
    """
    return list(_of(root, anywhere=anywhere))


def gone(root: Path, patience: float = GOODBYE) -> list[Process]:
    """Wait until nothing of the monorepo runs; what is still there after the time."""
    deadline = time.monotonic() + patience
    while (left := of(root)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def _of(root: Path, *, anywhere: bool) -> Iterator[Process]:
    for name in os.listdir("/proc"):  # noqa: PTH208 - many times a second beside what is tested
        if not name.isdigit():
            continue
        try:
            at = os.readlink(f"/proc/{name}/cwd")  # noqa: PTH115 - the same
            here = at == str(root) or at.startswith(f"{root}/")
            if not (here or anywhere or at == "/"):
                continue
            command = Path(f"/proc/{name}/cmdline").read_bytes().decode(errors="replace").replace("\0", " ").strip()
        except OSError:  # it has ended, or belongs to somebody else
            continue
        if command and (here or f"{root}/" in command):  # a dead one that nobody has waited for has none
            yield Process(number=int(name), kind=_kind(command), command=command)


def _kind(command: str) -> Kind:
    name = command.partition(" ")[0].rpartition("/")[2]
    if " -m tools.keeper " in command:
        return "keeper"
    if name == "goose":
        return "goose"
    if "/clickhouse/run/serve.py " in command:
        return "engine"
    if name == "postgres:":
        return "backend" if " 127.0.0.1(" in command else "other"  # goose's sessions; ours come by the socket
    return "postmaster" if name == "postgres" and " -D " in command else "other"
