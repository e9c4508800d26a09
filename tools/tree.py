"""The files of a monorepo that may be somebody's work, found without following a link out of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from schemas.errors import ToolError
from tools import git
from tools.shell import OUTPUT_LIMIT

__all__ = ["MOST", "Tree", "look"]

MOST = 200_000  # files
DEEPEST = 16  # folders
MADE = frozenset(  # folders that programs fill, by name
    ("node_modules", "vendor", "dist", "build", "target", "coverage", "venv", "__pycache__", "bower_components", "out")
)


class Tree(NamedTuple):
    """The plain files below a folder, and its links that stay inside; paths are relative, with ``/``."""

    root: Path
    files: tuple[str, ...]  # in order
    links: dict[str, str]  # link -> what it leads to, below the root
    cut: str = ""  # why there may be more; empty when there is not

    def head(self, path: str, most: int) -> bytes:
        """The first bytes of a plain file; none where it cannot be read, or is no plain file any more."""
        try:
            descriptor = os.open(self.root / path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        except OSError:
            return b""
        try:
            plain = stat.S_ISREG(os.fstat(descriptor).st_mode)
            return os.read(descriptor, most) if plain else b""
        except OSError:
            return b""
        finally:
            os.close(descriptor)


def look(root: Path, apart: Iterable[Path] = ()) -> Tree:
    """Look through a folder: what git knows or would add, else a walk. Folders ``apart`` are left out.

    Hidden folders are too, and those that installers and compilers fill.
    """
    left_out = tuple(f"{os.path.realpath(one)}/" for one in apart)
    files: list[str] = []
    links: dict[str, str] = {}
    cut = ""
    home = f"{os.path.realpath(root)}/"
    for path in _paths(root):
        whole = root / path
        if any(f"{whole}/".startswith(one) for one in left_out) or not path.isprintable() or "\\" in path:
            continue
        if len(files) >= MOST:
            cut = f"only the first {MOST:,} files were looked at"
            break
        try:
            mode = os.lstat(whole).st_mode
        except (OSError, ValueError):
            continue
        if stat.S_ISREG(mode):
            files.append(path)
        elif stat.S_ISLNK(mode):
            to = os.path.realpath(whole)
            if to.startswith(home) and Path(to).exists():
                links[path] = to.removeprefix(home)
    return Tree(root=root, files=tuple(sorted(files)), links=links, cut=cut)


def _paths(root: Path) -> Iterable[str]:
    listed = _by_git(root)
    return _walked(root) if listed is None else listed


def _by_git(root: Path) -> list[str] | None:
    """The paths that git has, or would add; None where git has no say, or more to say than is kept of it."""
    try:
        repository = git.find(root)
        if repository is None:
            return None
        listed = repository.ask("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    except ToolError:
        return None
    if len(listed.encode(errors="replace")) >= OUTPUT_LIMIT:
        return None
    paths = dict.fromkeys(filter(None, listed.split("\0")))
    return [path for path in paths if _is_work(path.split("/")[:-1])]


def _is_work(folders: list[str]) -> bool:
    return len(folders) <= DEEPEST and not any(name in MADE or name.startswith(".") for name in folders)


def _walked(root: Path) -> Iterator[str]:
    """Plain files and links, folder by folder, the nearest first."""
    waiting = [""]
    for folder in waiting:
        try:
            with os.scandir(root / folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                if _is_work(path.split("/")):
                    waiting.append(path)
            else:
                yield path
