"""What git knows of a stream: its files where this branch left the base branch, and on it now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from schemas.catalog import Catalog
from schemas.stream import version_of
from tools import git

__all__ = ["Base", "Looks", "Nothing", "Places", "look", "places", "same"]


class Nothing(NamedTuple):
    """Nothing can be compared, and why; ``todo`` is the command that changes that."""

    why: str
    todo: str


class Base(NamedTuple):
    """The base branch as it is known here; files are path -> git's hash of the content."""

    name: str  # origin/main
    here: Mapping[str, str]  # the stream's files at the commit at which this branch left it
    now: Mapping[str, str]  # on the base branch now
    text: Callable[[str], str]  # a file as the base branch has it

    @property
    def merged(self) -> frozenset[str]:
        """The files that others have already: their names."""
        return frozenset(path.rpartition("/")[2] for path in (*self.here, *self.now))

    @property
    def key(self) -> str:
        """Everything of it that a finding may depend on."""
        return repr((self.name, sorted(self.here.items()), sorted(self.now.items())))


class Places(NamedTuple):
    """What git is asked about."""

    root: Path
    branch: str | None  # the base branch, where services.yaml names it
    folders: tuple[str, ...]  # of migrations


def places(catalog: Catalog) -> Places:
    """The folders of a catalog, and what they are compared with."""
    return Places(catalog.root, catalog.base, tuple(database.migrations for database in catalog.databases()))


def look(there: Places, commit: str = "HEAD") -> Mapping[str, Base] | Nothing:
    """The base branch beside a commit, for each folder of migrations. Raises ToolError where git fails."""
    repository = git.find(there.root)
    if repository is None:
        return Nothing("the monorepo is in no git repository", "git init")
    base = repository.base(there.branch)
    if base is None:
        wanted = there.branch or "main"
        return Nothing(f"there is no base branch {wanted} here", f"git fetch origin {wanted}")
    fork = repository.fork(base.commit, commit)
    if fork is None:
        return Nothing(f"this clone does not reach back to where the branch left {base.name}", "git fetch --unshallow")
    now = _own(repository.files(base.commit, *there.folders))
    here = now if fork == base.commit else _own(repository.files(fork, *there.folders))

    def text(path: str) -> str:
        return repository.text(base.commit, path) or repository.text(fork, path) or ""

    return {
        folder: Base(name=base.name, here=here.get(folder, {}), now=now.get(folder, {}), text=text)
        for folder in there.folders
    }


def same(data: bytes, like: str) -> bool:
    """Whether a file here has the content of that hash, whatever line ends git has given it."""
    return like in {git.hashed(data, like), git.hashed(data.replace(b"\r\n", b"\n"), like)}


class Looks:
    """What git was asked in this run: once, for all streams."""

    def __init__(self, there: Places) -> None:
        self.places = there
        self._lock = Lock()
        self._found: Mapping[str, Base] | Nothing | None = None

    def at(self, folder: str) -> Base | Nothing:
        """The base branch, for one stream."""
        with self._lock:
            if self._found is None:
                self._found = look(self.places)
        return self._found if isinstance(self._found, Nothing) else self._found[folder]

    def close(self) -> None:
        """Nothing is open."""


def _own(files: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """By folder those that goose takes in it: with a version."""
    found: dict[str, dict[str, str]] = {}
    for path, like in files.items():
        folder, _, name = path.rpartition("/")
        if name.endswith(".sql") and isinstance(version_of(name), int):
            found.setdefault(folder, {})[path] = like
    return found
