"""File systems of a test's own, for disks that are full or read-only."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

__all__ = ["mount", "needed", "read_only", "unmount"]

SYS_ADMIN = 21  # linux/capability.h


def needed() -> None:
    """Skip the test where nothing may be mounted; in CI, which can, it runs in any case."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    effective = next(int(line.split()[1], 16) for line in text.splitlines() if line.startswith("CapEff:"))
    if os.environ.get("CI", "").lower() != "true" and not effective >> SYS_ADMIN & 1:
        pytest.skip("mounting a small file system needs root with CAP_SYS_ADMIN")


def mount(*words: str | Path) -> None:
    """Run mount(8)."""
    subprocess.run([shutil.which("mount") or "/bin/mount", *words], check=True)


def unmount(folder: Path) -> None:
    """Run umount(8)."""
    subprocess.run([shutil.which("umount") or "/bin/umount", folder], check=True)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Have nobody write into a folder; root, whom no mode stops, meets a file system that cannot be written."""
    if os.geteuid() != 0:
        folder.chmod(0o555)
        yield
        folder.chmod(0o755)
        return
    needed()
    mount("--bind", folder, folder)
    try:
        mount("-o", "remount,bind,ro", folder)
        yield
    finally:
        unmount(folder)
