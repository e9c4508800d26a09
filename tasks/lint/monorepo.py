"""Whose every file of the monorepo is: a service's, or that of the monorepo around the services."""

from __future__ import annotations

from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from schemas.catalog import Catalog
from tasks.lint.source import LARGEST, SHEBANG, Source, kind
from tools import tree

__all__ = ["Held", "Monorepo", "monorepo"]

PROJECT = Path(__file__).resolve().parents[2]
OURS = ("bench", "docs", "pipelines", "schemas", "tasks", "tests", "tools")
WRITTEN = """.azure .buildkite .ci .circleci .devcontainer .docker .forgejo .gitea .githooks .github .gitlab .husky
    .woodpecker"""
HIDDEN = frozenset(WRITTEN.split())  # hidden folders that hold what people wrote
MANY = 20_000  # files of a service
BUDGET = 128 * 1024 * 1024  # bytes of a service


class Places(NamedTuple):
    """Where the files of a service lie: below its folder, and elsewhere where its entry names them."""

    service: str
    folder: str
    elsewhere: tuple[str, ...]


class Held(NamedTuple):
    """The files of a service, or those around all; ``cut`` says why there may be more, else it is empty."""

    sources: tuple[Source, ...]
    digest: str
    cut: str


class Monorepo:
    """The monorepo's files as they were when first asked for: each is read once, and judged as it was hashed."""

    def __init__(self, root: Path, places: tuple[Places, ...]) -> None:
        self.root, self.places = root, places
        self._lock = Lock()
        self._held: dict[str, Held] = {}

    def held(self, service: str) -> Held:
        """The files of a service; with an empty name those of no service."""
        with self._lock:
            if service not in self._held:
                self._held[service] = self._read(service)
            return self._held[service]

    @cached_property
    def _tree(self) -> tree.Tree:
        return tree.look(
            self.root, _ours(self.root), hidden=HIDDEN, made=tree.INSTALLED, wanted=lambda path: bool(kind(path))
        )

    @cached_property
    def _paths(self) -> dict[str, list[str]]:
        """The files by whose they are: of a service below whose folder they lie, or whose entry names them."""
        folders: dict[str, str] = {}
        named: dict[str, str] = {}
        for place in self.places:
            folders.setdefault(place.folder, place.service)
            for path in place.elsewhere:
                named.setdefault(path, place.service)
        files = frozenset(self._tree.files)
        seen = {link for link, to in self._tree.links.items() if to in files and kind(to) == kind(link)}
        links = [link for link in self._tree.links if link not in seen]  # the others are looked at under that name
        paths: dict[str, list[str]] = {}
        for path in (*self._tree.files, *links, *self._tree.outward):
            paths.setdefault(_owner(path, folders) or named.get(path, ""), []).append(path)
        return paths

    def _read(self, service: str) -> Held:
        found: list[Source] = []
        whole = sha256()
        left, cut = BUDGET, self._tree.cut
        for path in sorted(self._paths.get(service, ())):
            if len(found) >= MANY or left <= 0:
                cut = cut or f"only the first {len(found):,} files were looked at"
                break
            source = self._source(path)
            if source:
                left -= len(source.data)
                whole.update(f"{path}\0{source.unread}\0{sha256(source.data).hexdigest()}\n".encode())
                found.append(source)
        whole.update(cut.encode())
        return Held(tuple(found), whole.hexdigest(), cut)

    def _source(self, path: str) -> Source | None:
        form = kind(path)
        file = self._tree.links.get(path, path)
        if form == "unnamed":
            form = "shell" if SHEBANG.match(self._tree.head(file, 128)) else None
        if form is None:
            return None
        if path in self._tree.outward:
            return Source(path, form, b"", "it is a link that leads out of the monorepo, or nowhere")
        data = self._tree.head(file, LARGEST + 1)
        if len(data) > LARGEST:
            return Source(path, form, data[:LARGEST], f"it is larger than {LARGEST // 1024:,} kB")
        return Source(path, form, data)


def monorepo(catalog: Catalog) -> Monorepo:
    """The catalog's monorepo, looked at once a process: a run judges all services by one state of their files."""
    return _looked_at(
        catalog.root,
        tuple(
            Places(name, one.folder, (one.migration_job, *(entry.prisma for entry in one.databases if entry.prisma)))
            for name, one in catalog.services.items()
        ),
    )


_looked_at = lru_cache(maxsize=1)(Monorepo)


def _ours(root: Path) -> list[Path]:
    """What is Gander itself: its folder, or what it brings along beside the example where that is the monorepo."""
    return [PROJECT / name for name in OURS] if root == PROJECT else [PROJECT]


def _owner(path: str, folders: dict[str, str]) -> str:
    """The service in whose folder a file lies; of folders in each other, the inner one's."""
    folder = path
    while folder:
        folder = folder.rpartition("/")[0]
        if folder in folders:
            return folders[folder]
    return folders.get(".", "")
