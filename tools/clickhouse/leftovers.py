"""A server that outlives its keeper for a moment: who holds the data directory, and until when."""

from __future__ import annotations

import fcntl
import time
from pathlib import Path

from schemas.errors import ServerError

__all__ = ["STATUS", "held", "wait"]

STATUS = "status"  # exists in the data while a server runs on it, and after a hard end
PATIENCE = 15.0  # seconds; a server whose keeper has died ends itself before, see serve.py


def wait(data: Path) -> bool:
    """Wait until nobody runs on the data directory; True when somebody did. ServerError past our patience."""
    if not held(data):
        return False
    deadline = time.monotonic() + PATIENCE
    while held(data):
        if time.monotonic() > deadline:
            process = _process(data)
            raise ServerError(
                f"another ClickHouse{f' (process {process})' if process else ''} runs on {data}",
                todo=f"end it{f': kill {process}' if process else ''}\nthen run the command again",
            )
        time.sleep(0.02)
    return True


def held(data: Path) -> bool:
    """Whether a server holds the lock that it takes on this file for as long as it runs (src/Common/StatusFile.cpp)."""
    try:
        with (data / STATUS).open("rb") as status:  # never created here: the server's account must own it
            fcntl.flock(status, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _process(data: Path) -> str:
    """The process that the file names; it is a hint only."""
    try:
        lines = (data / STATUS).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("PID:")), "")
