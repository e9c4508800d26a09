"""Which errors of the operating system are the machine's state, for its user to change, and not a bug of ours."""

from __future__ import annotations

import errno

from schemas.errors import GanderError

__all__ = ["trouble"]

TROUBLE = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space of your quota",
    errno.EROFS: "make the file system writable",
    errno.EACCES: "change its permissions",
    errno.EPERM: "change its permissions",
    errno.EMFILE: "raise the limit of open files: ulimit -n 4096",
    errno.ENFILE: "close other programs",
    errno.ENOMEM: "free some memory",
    errno.EIO: "look at the disk and its cables: the system log says more",
}


def trouble(error: BaseException) -> GanderError | None:
    """The message for a full disk, a missing permission and their like; None for any other error."""
    if not isinstance(error, OSError) or error.errno not in TROUBLE:
        return None
    return GanderError(
        f"{error.strerror}", where=str(error.filename or ""), todo=f"{TROUBLE[error.errno]}, then run the command again"
    )
