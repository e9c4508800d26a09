"""Files that are whole or not there, whenever whoever writes them is killed: written beside, then put in place."""

from __future__ import annotations

import fcntl
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["beside", "create", "is_part", "replace", "sweep"]

MODE = 0o666  # less the umask, as of every new file
PART = re.compile(r"\..+\.\d+-\d+\.part")


def create(path: Path, text: str | bytes) -> None:
    """Write a file that is not there yet. Raises FileExistsError where it is, and other OSErrors."""
    with beside(path, text) as part:
        os.link(part, path)  # unlike a rename it never replaces another


def replace(path: Path, text: str | bytes, mode: int = MODE) -> None:
    """Write a file, or write it anew; who reads it meanwhile gets the old or the new text. Raises OSError."""
    with beside(path, text, mode) as part:
        part.replace(path)


def is_part(path: Path) -> bool:
    """Whether a file is one that is being written, or whose writer was killed; told by its name."""
    return PART.fullmatch(path.name) is not None


def sweep(folder: Path) -> None:
    """Remove the parts in a folder whose writers were killed: the kernel has taken their locks back."""
    with suppress(OSError):
        for left in filter(is_part, folder.iterdir()):
            with suppress(OSError), left.open("rb") as opened:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _names(left, opened.fileno()):
                    left.unlink()


@contextmanager
def beside(path: Path, text: str | bytes, mode: int = MODE) -> Iterator[Path]:
    """The text, whole, in a file beside its place; it is removed at the end if it is still there.

    What killed runs left in that folder is removed before. Raises OSError.
    """
    sweep(path.parent)
    part = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_native_id()}.part")
    try:
        with os.fdopen(_locked(part, mode), "wb") as opened:
            opened.write(text if isinstance(text, bytes) else text.encode())
            opened.flush()
            os.fsync(opened.fileno())
            yield part
    finally:
        part.unlink(missing_ok=True)


def _locked(part: Path, mode: int) -> int:
    """A new file, open for writing; made again when it was swept away before we had the lock."""
    while True:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if _names(part, descriptor):
            return descriptor
        os.close(descriptor)


def _names(path: Path, descriptor: int) -> bool:
    """Whether the open file still has that name."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
