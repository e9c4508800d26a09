"""The environments of a monorepo, from values files and Argo CD's manifests, and the image that they release."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from schemas.target import LOCAL
from tasks.init.applications import Application, applications, server
from tasks.init.charts import ORDER, Charts, Values
from tasks.init.survey import Survey
from tasks.init.text import From, Guess

__all__ = ["Environments", "environments"]

PROTECTED = frozenset(("prod", "production", "live"))
NAME = re.compile(r"[a-z]([a-z0-9-]{0,51}[a-z0-9])?")
NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
REPOSITORY = re.compile(r"([a-z0-9.-]+(:[0-9]+)?/)?[a-z0-9{}._-]+(/[a-z0-9{}._-]+)*")
BRANCH = re.compile(r"[^\s~^:?*\[\\{}-][^\s~^:?*\[\\{}]*")
PATH = re.compile(r"[^\\{}]+(?:\{service\}[^\\{}]*)*")


class Environments(NamedTuple):
    """What stands before the services, and what was seen on the way."""

    head: dict[str, Any]  # image, environments
    names: tuple[str, ...]  # of the environments beside local, in their order
    images: Mapping[str, Any]  # service's folder -> its own image, where it differs
    without_image: tuple[str, ...]  # environments whose values files name no image of migrations
    odd: tuple[tuple[str, str], ...]  # values files that do not lie where the others do: path, the others' pattern


def environments(survey: Survey, names: Mapping[str, str], seen: Charts, branch: str | None) -> Environments:
    """Decide what can be said of each environment; ``names`` are the services' names by folder."""
    known = {values.environment for values in seen.values if values.service in names}
    found = applications(survey, names, known | set(ORDER))
    every = {*known, *(application.environment for application in found)} - {LOCAL, "all"}
    ordered = sorted(filter(NAME.fullmatch, every), key=lambda one: (_rank(one), one))
    head: dict[str, Any] = {"base": Guess(branch, "the branch that is checked out")} if branch else {}
    common, images = _images(seen, names)
    head |= {"image": common} if common else {}
    without, odd = [], []
    entries: dict[str, Any] = {LOCAL: {}}
    host = server(survey)
    for position, name in enumerate(ordered):
        own = [values for values in seen.values if values.environment == name and values.service in names]
        here = [application for application in found if application.environment == name]
        body = {**_rank_of(name, ordered[:position]), **_place(here, own), **_gitops(name, here, survey, branch)}
        if here and "argocd" in body and host:
            body["argocd"]["server"] = From(*host)
        values, strays = _values(own, names)
        body |= values
        odd += strays
        without += [name] if own and not values else []
        entries[name] = body
    return Environments(
        head={**head, "environments": entries},
        names=tuple(ordered),
        images=images,
        without_image=tuple(without),
        odd=tuple(odd),
    )


def _rank(name: str) -> int:
    """Where an environment stands on the way to production; an unknown one is in the middle."""
    return ORDER.index(name) if name in ORDER else ORDER.index("stage")


def _rank_of(name: str, before: Sequence[str]) -> dict[str, Any]:
    """Whether it is protected, and which environment goes before it."""
    if name not in PROTECTED:
        return {}
    after = {"after": Guess(before[-1], "by their names")} if before else {}
    return {"protected": Guess(value=True, why="by its name"), **after}


def _place(here: Sequence[Application], own: Sequence[Values]) -> dict[str, Any]:
    """Namespace, cluster and the Applications' names."""
    body: dict[str, Any] = {}
    spaces = [(one.namespace, one.path) for one in here] or [
        (str(one.data.get("namespace", "")), one.path) for one in own
    ]
    space = _most(one for one in spaces if NAMESPACE.fullmatch(one[0]))
    body |= {"namespace": From(*space)} if space else {}
    cluster = _most((one.cluster, one.path) for one in here if one.cluster not in {"", "in-cluster"})
    if cluster:
        body["kube_context"] = Guess(cluster[0], f"what {cluster[1]} calls the cluster")
    named = _most((one.name, one.path) for one in here if "{service}" in one.name and one.name.count("{") == 1)
    return {**body, "argocd": {"application": From(*named)}} if named else body


def _gitops(name: str, here: Sequence[Application], survey: Survey, branch: str | None) -> dict[str, Any]:
    """The branch that Argo CD reads, where it reads this monorepo."""
    read = [one for one in here if _is_here(one.source, survey)]
    if not read:
        return {}
    named = _most((one.branch, one.path) for one in read if BRANCH.fullmatch(one.branch) and one.branch != "HEAD")
    return {
        "gitops": {
            "repository": Guess(".", f"{read[0].path} reads a folder that is here"),
            "branch": From(*named) if named else Guess(branch or "main", "no manifest says another"),
            "push": Guess("pull-request" if name in PROTECTED else "direct", "by its name"),
        }
    }


def _is_here(source: str, survey: Survey) -> bool:
    start = source.partition("{{")[0].removeprefix("./").rstrip("/")
    return bool(start) and any(path.startswith(f"{start}/") for path in survey.paths)


def _values(own: list[Values], names: Mapping[str, str]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Where a release is written down: one pattern for all services, the one that most follow."""
    patterns = [(_pattern(values.path, names[values.service]), values) for values in own if values.image]
    most = Counter(pattern for pattern, _ in patterns if PATH.fullmatch(pattern)).most_common(1)
    if not most:
        return {}, []
    pattern = most[0][0]
    keys = Counter(values.image.key for one, values in patterns if one == pattern and values.image).most_common(1)
    odd = [(values.path, pattern) for one, values in patterns if one != pattern]
    return {"values": {"file": pattern, "key": Guess(keys[0][0], "the image that is called after migrations")}}, odd


def _pattern(path: str, name: str) -> str:
    return "/".join(part.replace(name, "{service}") if part.split(".")[0] == name else part for part in path.split("/"))


def _images(seen: Charts, names: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The repository that most services' images follow, and those of the others."""
    found: dict[str, tuple[str, str]] = {}
    for values in seen.values:
        if values.service in names and values.image and REPOSITORY.fullmatch(values.image.repository):
            pattern = values.image.repository.replace(names[values.service], "{service}")
            found.setdefault(values.service, (pattern, values.path))
    most = _most(one for one in found.values() if one[0].count("{") == 1)
    images = {
        folder: {"repository": From(pattern.replace("{service}", names[folder]), path)}
        for folder, (pattern, path) in found.items()
        if not most or pattern != most[0]
    }
    return {"repository": From(*most)} if most else {}, images


def _most(found: Iterable[tuple[str, str]]) -> tuple[str, str] | None:
    """The text that is found most often, with the first path that it is found in."""
    listed = list(found)
    if not listed:
        return None
    text = Counter(text for text, _ in listed).most_common(1)[0][0]
    return next(one for one in listed if one[0] == text)
