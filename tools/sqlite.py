"""A SQLite file that several processes open at the same moment, the first of them making it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = ["connect"]

PATIENCE = 30.0  # seconds to wait for another process's write
PAUSE = 0.02


def connect(path: Path, statements: Iterable[str], **how: Any) -> sqlite3.Connection:
    """Open the file and run statements that prepare it; raises sqlite3.Error.

    SQLite answers "locked" at once, without its own patience, while another process turns the file to WAL
    (sqlite.org/wal.html, "Sometimes Queries Return SQLITE_BUSY In WAL Mode"): that is tried again.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        file: sqlite3.Connection = sqlite3.connect(path, timeout=PATIENCE, **how)
        try:
            for statement in statements:
                file.execute(statement)
        except sqlite3.Error as error:
            file.close()
            busy = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(PAUSE)
        else:
            return file
