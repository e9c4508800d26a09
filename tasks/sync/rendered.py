"""Whether two commits say the same of a service: its chart, those that this one takes from beside it, its values."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

import yaml

from schemas.application import Source
from tasks.promote.site import Site
from tasks.verify.release import HASH
from tools.git.objects import LINK, Objects, objects

__all__ = ["alike"]

BESIDE = "file://"  # a dependency in the same repository
GLOB = frozenset("*?[")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def alike(place: Site, source: Source, one: str, other: str) -> bool:
    """Whether Argo CD renders the same of both commits; False where that cannot be told from the files alone.

    What is no Helm chart may take in any file of the repository, and so may a chart with a symbolic link.
    """
    if one == other:
        return True
    with objects(place.remote.repository.root) as there:
        if not HASH.fullmatch(one) or there.commit(one) is None:
            return False
        return all(
            there.entry(one, path) == there.entry(other, path) for path in _decisive(there, place, source, other)
        )


def _decisive(there: Objects, place: Site, source: Source, commit: str) -> list[str]:
    """What is rendered is made of these: folders and files from the repository's top, and the file of the release."""
    paths = [] if source.path in {"", "."} else list(_folders(there, commit, posixpath.normpath(source.path)))
    values = [one for one in source.values if "://" not in one]
    files = [one[1:] if one.startswith("/") else posixpath.normpath(f"{source.path}/{one}") for one in values]
    if not paths or any(GLOB & set(one) or one.startswith("../") for one in files):
        return ["/"]
    return [*(f"/{one}" for one in (*paths, *files)), place.file]


def _folders(there: Objects, commit: str, path: str) -> Iterator[str]:
    """The chart's folder and those of its dependencies, from the repository's top; none where that is not certain."""
    found: dict[str, None] = {}
    waiting = [path]
    while waiting:
        folder = waiting.pop()
        if folder in found:
            continue
        found[folder] = None
        if folder.startswith("../"):
            return
        described = there.folder(commit, f"/{folder}").get("Chart.yaml")
        linked = any(entry.mode == LINK for entry in there.below(commit, f"/{folder}"))
        if described is None or not described.plain or linked:
            return
        try:
            chart = yaml.load(there.files([described.hash])[described.hash], LOADER)  # noqa: S506 - a safe one
            dependencies = (chart or {}).get("dependencies") or []
            beside = [str(one.get("repository") or "") for one in dependencies]
        except (yaml.YAMLError, AttributeError, TypeError):
            return
        waiting += [
            posixpath.normpath(posixpath.join(folder, one.removeprefix(BESIDE)))
            for one in beside
            if one.startswith(BESIDE)
        ]
    yield from found
