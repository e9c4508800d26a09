"""Whether two commits say the same of a service: its chart, those that this one takes from beside it, its values."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

import yaml

from schemas.application import Source
from tasks.promote.site import Site
from tasks.verify.release import HASH
from tools.git.repository import Repository

__all__ = ["alike"]

BESIDE = "file://"  # a dependency in the same repository
LINK = "120000"
GLOB = frozenset("*?[")


def alike(place: Site, source: Source, one: str, other: str) -> bool:
    """Whether Argo CD renders the same of both commits; False where that cannot be told from the files alone.

    What is no Helm chart may take in any file of the repository, and so may a chart with a symbolic link.
    """
    if one == other:
        return True
    if not HASH.fullmatch(one):
        return False
    repository = place.remote.repository
    up = repository.ask("rev-parse", "--show-cdup").strip()
    paths = [] if source.path in {"", "."} else list(_folders(repository, other, posixpath.normpath(source.path)))
    values = [one for one in source.values if "://" not in one]
    if paths and not any(GLOB & set(one) for one in values):
        files = [one[1:] if one.startswith("/") else f"{source.path}/{one}" for one in values]
        wanted = [*(f"{up}{posixpath.normpath(path)}" for path in (*paths, *files)), place.file]
    else:
        wanted = []
    done = repository.run("diff", "--quiet", "--no-ext-diff", "--no-renames", one, other, "--", *wanted)
    return done.code == 0


def _folders(repository: Repository, commit: str, chart: str) -> Iterator[str]:
    """The chart's folder and those of its dependencies, from the repository's top; none where that is not certain."""
    found: dict[str, None] = {}
    waiting = [chart]
    while waiting:
        folder = waiting.pop()
        if folder in found:
            continue
        found[folder] = None
        listed = repository.run("ls-tree", "-r", "--full-tree", commit, "--", f"{folder}/")
        described = repository.run("cat-file", "blob", f"{commit}:{folder}/Chart.yaml")
        if listed.code or described.code or any(line.startswith(LINK) for line in listed.out.splitlines()):
            return
        try:
            dependencies = (yaml.safe_load(described.out) or {}).get("dependencies") or []
            beside = [str(one.get("repository") or "") for one in dependencies]
        except (yaml.YAMLError, AttributeError, TypeError):
            return
        waiting += [
            posixpath.normpath(posixpath.join(folder, one.removeprefix(BESIDE)))
            for one in beside
            if one.startswith(BESIDE)
        ]
    yield from found
