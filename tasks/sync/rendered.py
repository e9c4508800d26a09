"""Whether two commits say the same of a service: its chart, those that this one takes from beside it, its values."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

import yaml

from schemas.application import Source
from tasks.promote.site import Site
from tasks.verify.release import HASH
from tools.git.objects import LINK, Objects, objects

__all__ = ["alike"]

BESIDE = "file://"  # a dependency in the same repository
GLOB = frozenset("*?[")
EVERYTHING = ["/"]
HELMS_OWN = frozenset(("Chart.yaml", "requirements.yaml", "values.yaml", "values.yml"))  # taken in without being named
FILES = re.compile(r"\bFiles\b")  # Helm's object for them: `.Files.Get`
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def alike(place: Site, source: Source, one: str, other: str) -> bool:
    """Whether Argo CD renders the same of both commits; False where that cannot be told from the files alone.

    What is no Helm chart may take in any file of the repository, and so may a chart with a symbolic link. The file in
    which another environment's releases are written says nothing of this one, where it is not among its values files.
    """
    if one == other:
        return True
    with objects(place.remote.repository.root) as there:
        if not HASH.fullmatch(one) or there.commit(one) is None:
            return False
        paths = _decisive(there, place, source, other)
        differ = [path for path in paths if there.entry(one, path) != there.entry(other, path)]
        chart = f"/{posixpath.normpath(source.path)}"
        if differ != [chart] or paths == EVERYTHING:
            return not differ
        before, after = there.folder(one, chart), there.folder(other, chart)
        changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        others = _elsewhere(there, place, chart)
        return changed <= others and not FILES.search(source.whole) and not _reads_files(there, paths, other)


def _elsewhere(there: Objects, place: Site, chart: str) -> frozenset[str]:
    """The values files of other environments in the chart's folder, which Helm takes in only where it is told to."""
    whole = [posixpath.normpath(f"/{there.prefix or ''}{one}") for one in place.others]
    names = {posixpath.basename(one) for one in whole if posixpath.dirname(one) == chart}
    return frozenset(one for one in names if one.endswith((".yaml", ".yml")) and one not in HELMS_OWN)


def _reads_files(there: Objects, paths: Iterable[str], commit: str) -> bool:
    """Whether a template, or a value that is one, may read the chart's files by name."""
    entries = [one for path in paths for one in (there.entry(commit, path), *there.below(commit, path))]
    texts = there.files(one.hash for one in entries if one and one.plain)
    return any(FILES.search(text.decode(errors="replace")) for text in texts.values())


def _decisive(there: Objects, place: Site, source: Source, commit: str) -> list[str]:
    """What is rendered is made of these: folders and files from the repository's top, and the file of the release."""
    paths = [] if source.path in {"", "."} else list(_folders(there, commit, posixpath.normpath(source.path)))
    values = [one for one in source.values if "://" not in one]
    files = [one[1:] if one.startswith("/") else posixpath.normpath(f"{source.path}/{one}") for one in values]
    if not paths or any(GLOB & set(one) or one.startswith("../") for one in files):
        return EVERYTHING
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
