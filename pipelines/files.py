"""Whether the content of a folder is what it was: digests of content, with stats that only save reading."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from stat import S_ISDIR, S_ISLNK, S_ISREG
from typing import Protocol

from schemas.errors import GanderError

__all__ = ["Files", "Looks"]

SETTLED = 2_000_000_000  # ns: no file system's clock is coarser (FAT: 2 s)
Stat = tuple[str, int, int, int, int, int]  # path below the folder, mode, size, mtime_ns, ctime_ns, inode


class Looks(Protocol):
    """Where the last look at a folder is kept."""

    def look(self, folder: str) -> tuple[str, int, str] | None:
        """Signature, time (ns) and digest of the last look."""

    def remember(self, folder: str, signature: str, looked: int, digest: str) -> None:
        """Keep a look."""


class Files:
    """Content digests of folders and files, each made at most once a run.

    Equal stats save reading, unless a file was still young at the last look: it may have been written again within
    one tick of the file system's clock.
    """

    def __init__(self, looks: Looks) -> None:
        self.looks = looks
        self._known: dict[Path, str] = {}

    def digest(self, path: Path) -> str:
        """SHA-256 over the names and contents below a folder, or over one file; a fixed word where nothing is.

        Raises GanderError for a file that cannot be read.
        """
        if path not in self._known:
            self._known[path] = self._look(path)
        return self._known[path]

    def forget(self) -> None:
        """Look anew: a task that has just run may have written files."""
        self._known.clear()

    def _look(self, path: Path) -> str:
        now = time.time_ns()  # before reading, so that a later write is younger than this look
        try:
            stats = sorted(_stats(path, ""))
            if not stats:
                return "empty" if path.is_dir() else "missing"
            signature = sha256(repr(stats).encode()).hexdigest()
            newest = max(max(mtime, ctime) for _, _, _, mtime, ctime, _ in stats)
            last = self.looks.look(str(path))
            if last and last[0] == signature and newest + SETTLED < last[1]:
                return last[2]
            digest = _content(path, stats)
        except OSError as error:
            raise GanderError(f"cannot be read: {error.strerror}", where=str(error.filename or path)) from error
        self.looks.remember(str(path), signature, now, digest)
        return digest


def _stats(path: Path, below: str) -> Iterator[Stat]:
    try:
        found = path.stat()
    except FileNotFoundError:
        if not path.is_symlink():
            return
        found = path.lstat()
    if not S_ISDIR(found.st_mode):
        yield below, found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino
        return
    with os.scandir(path) as entries:
        for entry in entries:
            name = f"{below}/{entry.name}" if below else entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from _stats(Path(entry.path), name)
                continue
            try:
                one = entry.stat()
                if S_ISDIR(one.st_mode):  # a link to a folder counts as the link that it is: it may lead in circles
                    one = entry.stat(follow_symlinks=False)
            except FileNotFoundError:  # a link to nothing
                one = entry.stat(follow_symlinks=False)
            yield name, one.st_mode, one.st_size, one.st_mtime_ns, one.st_ctime_ns, one.st_ino


def _content(path: Path, stats: list[Stat]) -> str:
    whole = sha256()
    for name, mode, *_ in stats:
        file = path / name if name else path
        if S_ISREG(mode):
            content = sha256(file.read_bytes()).hexdigest()
        elif S_ISLNK(mode):
            content = f"link to {file.readlink()}"
        else:
            content = "neither a file nor a folder"
        whole.update(f"{name}\0{content}\n".encode(errors="surrogateescape"))
    return whole.hexdigest()
