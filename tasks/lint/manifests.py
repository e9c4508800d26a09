"""Where Applications stand in a monorepo: in files as they are, and in charts that make them of their values."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from schemas.manifest import Manifest, manifests
from schemas.yaml_lenient import LARGEST
from tasks.lint.applications import KINDS
from tools import git, tree

__all__ = ["Found", "Places", "chart_of", "find", "places", "text"]

ARGO = "argoproj.io/"
ENDINGS = (".yaml", ".yml")


class Places(NamedTuple):
    """Files, and folders of charts, in which an Application may stand; relative to the root."""

    files: tuple[str, ...]
    charts: tuple[str, ...]


class Found(NamedTuple):
    """The Applications and ApplicationSets of a monorepo, and the charts of which nothing could be made, with why."""

    manifests: tuple[Manifest, ...]
    unread: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def places(root: Path) -> Places:
    """Where they may stand: in the files that git has or would add, or in all below the root where git has no say."""
    repository = git.find(root)
    if repository:
        mentioning: Iterable[str] = repository.mentioning(ARGO, *ENDINGS)
    else:
        seen = tree.look(root)
        yaml = (path for path in seen.files if path.endswith(ENDINGS))
        mentioning = [path for path in yaml if ARGO.encode() in seen.head(path, LARGEST)]
    charts = {path: chart_of(root, path) for path in mentioning if "templates" in path.split("/")[:-1]}
    return Places(
        files=tuple(path for path in mentioning if not charts.get(path)),
        charts=tuple(sorted({chart for chart in charts.values() if chart})),
    )


def find(root: Path, apart: Iterable[str], say: Callable[[str], None]) -> Found:
    """Every Application, those of charts too, which are rendered with each of their values files.

    Charts ``apart`` are left out: they are rendered by themselves. Raises ToolError where Helm is not to be had.
    """
    there = places.__wrapped__(root)
    found = [one for path in there.files for one in manifests(text(root / path), path)]
    charts = [chart for chart in there.charts if chart not in set(apart)]
    unread = []
    if charts:
        from tools.helm import Chart, render  # noqa: PLC0415 - start-up: only who lints charts renders them

        asked = [
            Chart(chart, values, {}, chart.rpartition("/")[2], "argocd")
            for chart in charts
            for values in _values(root, chart)
        ]
        renderings = render(root, asked, say)
        found += [one for rendering in renderings for one in rendering.manifests]
        whole = {rendering.chart.folder for rendering in renderings if not rendering.error}
        for rendering in renderings:
            if rendering.error and rendering.chart.folder not in whole:
                unread.append(f"{rendering.error.where}: {rendering.error.what}")
                whole.add(rendering.chart.folder)
    applications = (one for one in found if isinstance(one, Manifest) and one.kind in KINDS)
    return Found(tuple(applications), tuple(unread))


def chart_of(root: Path, path: str) -> str:
    """The nearest folder around a file that is a chart; empty where there is none."""
    folder = posixpath.dirname(path)
    while folder:
        if (root / folder / "Chart.yaml").is_file():
            return folder
        folder = posixpath.dirname(folder)
    return ""


def text(file: Path) -> str:
    """The beginning of a file, as far as anybody reads it; empty where it cannot be read."""
    try:
        with file.open("rb") as opened:
            return opened.read(LARGEST + 1).decode(errors="replace")
    except OSError:
        return ""


def _values(root: Path, chart: str) -> list[tuple[str, ...]]:
    files = sorted(one.name for ending in ENDINGS for one in (root / chart).glob(f"values[-._]*{ending}"))
    return [(), *((f"{chart}/{name}",) for name in files)]
