"""Files and folders that only their owner may read, whole or not at all."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from schemas.errors import ServerError
from tools import whole
from tools.account import Account

__all__ = ["folder", "write"]


def folder(path: Path, account: Account | None) -> None:
    """Make a folder that only the server's account enters; ServerError when somebody else made it before."""
    path.mkdir(mode=0o700, exist_ok=True)
    if account and path.lstat().st_uid == os.geteuid():
        account.own(path)
    status = path.lstat()
    if path.is_symlink() or status.st_uid != (account.uid if account else os.geteuid()):
        raise ServerError(f"{path} belongs to another account", todo=f"rm -r {shlex.quote(str(path))}")
    path.chmod(0o700)


def write(path: Path, text: str) -> None:
    """Write a file that only we can read, whole or not at all."""
    whole.replace(path, text, 0o600)
