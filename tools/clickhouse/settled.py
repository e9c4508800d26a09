"""What the databases of a stopped server hold, proved from its files alone.

ClickHouse notes no last change, so the proof is every file of the data directory: its name, size, times and inode.
A snapshot taken before a stop is true for as long as they are the same, beginning with the look itself.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from tools import snapshot
from tools.clickhouse import leftovers
from tools.clickhouse.home import Home
from tools.engine import Contents

__all__ = ["accept", "recall", "signature"]


def accept(home: Home, contents: Mapping[str, Contents], seen: str) -> bool:
    """Keep what a look saw when the files had the signature ``seen``, if the stop has changed none of them."""
    if _proof(home.data) != seen:
        return False
    snapshot.keep(_file(home), seen, contents)
    return True


def recall(home: Home) -> dict[str, Contents] | None:
    """What every database holds, one that is not named does not exist; None when that is not proved."""
    return snapshot.recall(_file(home), lambda: _proof(home.data))


def signature(data: Path) -> str:
    """What changes with any file of a data directory, but for the note that a server runs on it; OSError as it comes.

    A folder's times are left out: they change with its entries, which are in it themselves.
    """
    entries, folders = [], [""]
    while folders:
        folder = folders.pop()
        with os.scandir(data / folder) as found:
            for entry in found:
                name = f"{folder}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    folders.append(f"{name}/")
                    entries.append(f"{name}/")
                elif name != leftovers.STATUS:
                    status = entry.stat(follow_symlinks=False)
                    facts = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
                    entries.append(f"{name}\0{facts}")
    return sha256("\n".join(sorted(entries)).encode(errors="surrogateescape")).hexdigest()


def _file(home: Home) -> Path:
    return home.path / "settled.json"


def _proof(data: Path) -> str:
    """The signature of a stopped server's data; empty when one runs, or it cannot be looked at."""
    try:
        return "" if leftovers.held(data) else signature(data)
    except OSError:
        return ""
