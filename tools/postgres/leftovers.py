"""What a killed server left behind: an orphaned postmaster, sessions without one, a stale postmaster.pid."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from schemas.errors import ServerError

__all__ = ["end", "end_sessions", "orphan"]

PATIENCE = 120.0  # seconds for an orphan to shut down, before it is told to do so at once
LATEST = 5.0  # seconds after which an orphan that was told so must be gone
SLACK = 60  # seconds by which the clock may have been set since a start that postmaster.pid notes


def orphan(data: Path) -> int | None:
    """The process id of a postmaster that runs on this data directory; the file alone proves nothing."""
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
        process, started = int(lines[0]), int(lines[2])
    except (OSError, ValueError, IndexError):
        return None
    words = _words(process)
    ours = any(Path(word).name == "postgres" for word in words[:1]) and str(data) in words
    begun = _begun(process)
    return process if ours and (begun is None or abs(begun - started) <= SLACK) else None


def end(data: Path) -> bool:
    """Shut down an orphaned postmaster, and remove the postmaster.pid of a dead one; True when there was an orphan."""
    process = orphan(data)
    if process is None:
        # PostgreSQL takes any living process of its account for the old server, when it got that one's id
        (data / "postmaster.pid").unlink(missing_ok=True)
        return False
    for how, patience in ((signal.SIGINT, PATIENCE), (signal.SIGQUIT, LATEST)):
        _signal(process, how)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if orphan(data) != process:
                return True
            time.sleep(0.02)
    raise ServerError(
        f"a PostgreSQL from an earlier run (process {process}) uses {data} and does not stop",
        todo=f"kill -QUIT {process}\nthen run the command again",
    )


def end_sessions(data: Path) -> None:
    """Kill the server processes whose postmaster is dead and whose memory they hold; without /proc, give them time."""
    for process in _running_in(data):
        _signal(process, signal.SIGKILL)
    deadline = time.monotonic() + LATEST
    while any(True for _ in _running_in(data)) and time.monotonic() < deadline:
        time.sleep(0.02)


def _running_in(data: Path) -> Iterator[int]:
    """Processes named postgres whose working directory is the data directory."""
    if not Path("/proc/self/cwd").exists():
        time.sleep(1)
        return
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "cwd").readlink() == data and (folder / "comm").read_text().strip() == "postgres":
                yield int(folder.name)
        except OSError:  # it ended, or is not ours to look at
            continue


def _signal(process: int, number: signal.Signals) -> None:
    try:
        os.kill(process, number)
    except ProcessLookupError:
        return
    except PermissionError:
        raise ServerError(
            f"a PostgreSQL from an earlier run (process {process}) belongs to another account",
            todo=f"sudo kill -INT {process}",
        ) from None


def _words(process: int) -> list[str]:
    """The command line of a process; empty when there is none."""
    try:
        return os.fsdecode(Path(f"/proc/{process}/cmdline").read_bytes()).split("\0")
    except OSError:
        if Path("/proc/self").exists():
            return []
    shown = subprocess.run(
        ["/bin/ps", "-o", "args=", "-p", str(process)], capture_output=True, check=False, text=True, timeout=10
    )
    program, _, rest = shown.stdout.strip().partition(" -D ")
    return [program, rest.partition(" -p ")[0]] if rest else []


def _begun(process: int) -> float | None:
    """When a process began, in seconds since the epoch; None where the system does not tell."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        uptime = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError):
        return None
    ticks = int(fields[19])  # field 22 of proc(5), counted after the name: start after boot
    return time.time() - uptime + ticks / os.sysconf("SC_CLK_TCK")
