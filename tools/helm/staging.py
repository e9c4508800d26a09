"""Copies of charts for Helm to work on: plain files of the monorepo, within limits, with what they depend on."""

from __future__ import annotations

import os
import posixpath
import shutil
import stat
from pathlib import Path
from typing import Any, NamedTuple

from schemas.manifest import Place
from schemas.yaml_lenient import LARGEST, read

__all__ = ["Stage", "Staged", "UnfitError"]

FILES = 2_000  # of a chart with all that it depends on
BYTES = 16 * 1024 * 1024
DEEPEST = 12  # folders
CHAIN = 5  # charts that depend on each other by file://


class UnfitError(Exception):
    """A chart that is not rendered: why, and where in the monorepo."""

    def __init__(self, why: str, place: Place | None = None) -> None:
        super().__init__(why)
        self.place = place


class Staged(NamedTuple):
    """A copy of a chart that Helm can load."""

    copy: Path
    name: str  # what Chart.yaml calls it
    folders: dict[str, str]  # folder within the chart as Helm sees it, empty for itself -> folder in the monorepo
    sources: dict[str, str]  # templates, by their path in the monorepo


class Stage:
    """The working copies of a child: the last chart, which several environments share, and what charts depend on."""

    def __init__(self, root: Path, work: Path, helm: Any) -> None:
        self.root, self.work, self.helm = Path(os.path.realpath(root)), work, helm
        self.last: tuple[str, Staged] | None = None
        self.packages: dict[str, tuple[Path, Staged]] = {}
        self.files = self.bytes = self.copies = 0

    def chart(self, folder: str) -> Staged:
        """A copy of a chart with its dependencies in ``charts/``. Raises UnfitError where there cannot be one."""
        if self.last and self.last[0] == folder:
            return self.last[1]
        if self.last:
            shutil.rmtree(self.last[1].copy)
            self.last = None
        self.files = self.bytes = 0
        self.last = folder, self._staged(folder, 0)
        return self.last[1]

    def _staged(self, folder: str, depth: int) -> Staged:
        if depth > CHAIN:
            raise UnfitError(f"more than {CHAIN} charts depend on each other", Place(f"{folder}/Chart.yaml"))
        if not (self.root / folder / "Chart.yaml").is_file():
            raise UnfitError("there is no chart: no Chart.yaml", Place(folder))
        self.copies += 1
        copy = self.work / f"chart-{self.copies}"
        sources: dict[str, str] = {}
        self._copy(folder, copy, sources, 0)
        for name in ("Chart.yaml", "values.yaml"):
            if (copy / name).exists():
                self.plain(f"{folder}/{name}")
        folders = {"": folder}
        for wanted in self.helm.dependency_list(copy):
            if wanted["status"] == "missing":
                inner = self._dependency(wanted, folder, copy, depth)
                below = f"charts/{inner.name}"
                folders |= {f"{below}/{key}".rstrip("/"): one for key, one in inner.folders.items()}
                sources |= inner.sources
        unmet = [one for one in self.helm.dependency_list(copy) if one["status"] not in {"ok", "unpacked"}]
        if unmet:
            what = f"the dependency {unmet[0]['name']} {unmet[0]['version']} is: {unmet[0]['status']}"
            raise UnfitError(what, Place(f"{folder}/Chart.yaml"))
        return Staged(copy, self._name(folder, copy), folders, sources)

    def plain(self, path: str) -> str:
        """The text of a YAML file that does not expand. Raises UnfitError where it is none, or leads elsewhere."""
        file = self._inside(path)
        if not file.is_file():
            raise UnfitError("there is no such file", Place(path))
        if file.stat().st_size > LARGEST:
            raise UnfitError(f"larger than {LARGEST // 1024} kB", Place(path))
        try:
            content = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise UnfitError("not UTF-8", Place(path)) from None
        found = read(content)
        if found.mistake:
            raise UnfitError(found.mistake, Place(path, *found.mark))
        return content

    def _dependency(self, wanted: dict[str, str], folder: str, copy: Path, depth: int) -> Staged:
        here, address = Place(f"{folder}/Chart.yaml"), wanted["repository"]
        if not address.startswith("file://"):
            why = f"the dependency {wanted['name']} is not in charts/, and nothing is downloaded to render a chart"
            raise UnfitError(f"{why}\nrun helm dependency build in {folder} and commit charts/", here)
        source = posixpath.normpath(posixpath.join(folder, address.removeprefix("file://")))
        if source.startswith(("/", "..")):
            raise UnfitError(f"the dependency {wanted['name']} leads out of the monorepo: {address}", here)
        if source not in self.packages:
            inner = self._staged(source, depth + 1)
            self.packages[source] = Path(self.helm.package(inner.copy, destination=self.work)), inner
        package, inner = self.packages[source]
        (copy / "charts").mkdir(exist_ok=True)
        shutil.copyfile(package, copy / "charts" / package.name)
        return inner

    def _name(self, folder: str, copy: Path) -> str:
        found = read((copy / "Chart.yaml").read_text(encoding="utf-8")).documents
        data = found[0].data if found else None
        name = data.get("name") if isinstance(data, dict) else None
        if not isinstance(name, str) or "/" in name:
            raise UnfitError("Chart.yaml gives the chart no name", Place(f"{folder}/Chart.yaml"))
        return name

    def _inside(self, path: str) -> Path:
        real = Path(os.path.realpath(self.root / path))
        if not real.is_relative_to(self.root):
            raise UnfitError("leads out of the monorepo by a link", Place(path))
        return real

    def _copy(self, path: str, to: Path, sources: dict[str, str], depth: int) -> None:
        """Copy a file or folder of the monorepo, links as what they lead to, within the limits."""
        real = self._inside(path)
        mode = real.stat().st_mode if real.exists() else 0
        if stat.S_ISDIR(mode):
            if depth > DEEPEST:
                raise UnfitError(f"more than {DEEPEST} folders deep", Place(path))
            to.mkdir(parents=True)
            for entry in sorted(one.name for one in real.iterdir()):
                self._copy(f"{path}/{entry}", to / entry, sources, depth + 1)
            return
        if not stat.S_ISREG(mode):
            raise UnfitError("neither a file nor a folder", Place(path))
        self.files += 1
        self.bytes += real.stat().st_size
        if self.files > FILES or self.bytes > BYTES:
            raise UnfitError(f"a chart of more than {FILES:,} files or {BYTES >> 20} MB", Place(path))
        shutil.copyfile(real, to)
        if "/templates/" in path and real.stat().st_size <= LARGEST:
            sources[path] = real.read_text(encoding="utf-8", errors="replace")
