"""The files of a monorepo that may be somebody's work, found without following a link out of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from schemas.errors import ToolError
from tools import git
from tools.shell import OUTPUT_LIMIT

__all__ = ["INSTALLED", "MADE", "MOST", "Tree", "look"]

MOST = 200_000  # files
DEEPEST = 16  # folders
INSTALLED = frozenset(("node_modules", "bower_components", "vendor", "venv", "__pycache__"))  # folders, by name
MADE = INSTALLED | {"dist", "build", "target", "coverage", "out"}  # and those that compilers fill


class Tree(NamedTuple):
    """The plain files below a folder, and its links that stay inside; paths are relative, with ``/``."""

    root: Path
    files: tuple[str, ...]  # in order
    links: dict[str, str]  # link -> what it leads to, below the root
    outward: tuple[str, ...] = ()  # links that lead out of it, or nowhere
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


def look(
    root: Path,
    apart: Iterable[Path] = (),
    *,
    hidden: Collection[str] = (),
    made: Collection[str] = MADE,
    wanted: Callable[[str], bool] = bool,
) -> Tree:
    """Look through a folder: what git knows or would add, else a walk. Folders ``apart`` are left out.

    Hidden folders are too, but for those named ``hidden``, and those that programs fill: of what git has, the ones
    named ``made``. Only paths that are ``wanted`` are looked at.
    """
    left_out = tuple(f"{os.path.realpath(one)}/" for one in apart)
    files: list[str] = []
    links: dict[str, str] = {}
    outward: list[str] = []
    cut = ""
    home = f"{os.path.realpath(root)}/"
    here = str(root)
    for path in _paths(root, frozenset(hidden), frozenset(made)):
        if not wanted(path):
            continue
        whole = f"{here}/{path}"
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
            if to.startswith(home) and os.path.exists(to):  # noqa: PTH110 - a path object a file costs more than the look
                links[path] = to.removeprefix(home)
            else:
                outward.append(path)
    return Tree(root=root, files=tuple(sorted(files)), links=links, outward=tuple(sorted(outward)), cut=cut)


def _paths(root: Path, hidden: frozenset[str], made: frozenset[str]) -> Iterable[str]:
    listed = _by_git(root, hidden, made)
    return _walked(root, hidden) if listed is None else listed


def _by_git(root: Path, hidden: frozenset[str], made: frozenset[str]) -> list[str] | None:
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
    folders: dict[str, bool] = {}
    kept = []
    for path in paths:
        folder = path.rpartition("/")[0]
        if folder not in folders:
            folders[folder] = _is_work(folder.split("/") if folder else [], hidden, made)
        if folders[folder]:
            kept.append(path)
    return kept


def _is_work(folders: list[str], hidden: frozenset[str], made: frozenset[str]) -> bool:
    return len(folders) <= DEEPEST and not any(
        name in made or (name[:1] == "." and name not in hidden) for name in folders
    )


def _walked(root: Path, hidden: frozenset[str]) -> Iterator[str]:
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
                if _is_work(path.split("/"), hidden, MADE):
                    waiting.append(path)
            else:
                yield path
