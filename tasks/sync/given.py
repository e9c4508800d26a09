"""Which image a commit gives an Application's migrations, wherever else than in the release's own line that is said.

Of several places the last one counts: the chart's values, the values files in their order, `values` or `valuesObject`,
`parameters` (util/helm of Argo CD 3.2); and `.argocd-source.yaml` in the chart's folder, or `.argocd-source-NAME.yaml`,
is merged into the source before (reposerver/repository: mergeSourceParameters).
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import yaml

from schemas.application import Application
from schemas.errors import Refused
from tasks.promote.site import Site
from tools.git.objects import Objects, objects

__all__ = ["refuse"]

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
UNSURE = frozenset("*?[$")  # a pattern, or a variable of Argo CD's: which files those are, only Argo CD knows


class Given(NamedTuple):
    """Who gives the image, and which; None: nobody knows."""

    where: str
    image: str | None


def refuse(place: Site, application: Application, commit: str, image: str) -> None:
    """Raise Refused where it is sure that the Application would be rendered with another image than that.

    Where it cannot be told from the files alone, the Job itself is looked at, when it is there.
    """
    last: Given | None = None
    with objects(place.remote.repository.root) as there, suppress(RecursionError):  # an alias may hold itself
        *_, last = None, *_given(there, application, commit, place.key.split("."))
    if last is None or last.image in {None, image}:
        return
    target = f"{place.target.service}@{place.environment.name}"
    raise Refused(
        f"{application.name} would be rendered with another image than {place.called} says",
        where=last.where,
        why=f"it gives {place.key} as {last.image or 'nothing'}, and that counts; the release is {image}",
        todo=f"take it out there, or give the Application {place.file} as its last values file\ndoit sync:{target}",
    )


def _given(there: Objects, application: Application, commit: str, key: list[str]) -> Iterator[Given]:
    """Everybody who gives the image; the last one counts."""
    source = application.source
    if source is None:
        return
    helm, named = json.loads(source.whole).get("helm"), f"Application {application.name}"
    for name in (".argocd-source.yaml", f".argocd-source-{application.name}.yaml"):
        beside = _object(_read(there, commit, posixpath.join("/", source.path, name))).get("helm")
        helm, named = (_merged(helm, beside), name) if beside is not None else (helm, named)
    helm = _object(helm)
    for file in ("values.yaml", *map(str, _array(helm.get("valueFiles")))):
        if "://" in file or UNSURE & set(file):
            yield Given(file, None)
            continue
        path = posixpath.normpath(posixpath.join("/", source.path, file))
        yield from _of(_read(there, commit, path), key, path[1:])
    inline = helm.get("valuesObject") or _loaded(str(helm.get("values") or ""))
    yield from _of(inline, key, f"{named}: helm.{'valuesObject' if helm.get('valuesObject') else 'values'}")
    for one in map(_object, _array(helm.get("parameters"))):
        if one.get("name") == ".".join(key):
            yield Given(f"{named}: helm.parameters", str(one.get("value") or ""))


def _of(document: Any, key: list[str], where: str) -> Iterator[Given]:
    for part in key:
        if part not in (held := _object(document)):
            return
        document = held[part]
    yield Given(where, "" if document is None else str(document))


def _read(there: Objects, commit: str, path: str) -> Any:
    """The document in a file of the commit; None where it has none, or none that can be read."""
    found = there.entry(commit, path)
    return _loaded(there.files([found.hash])[found.hash]) if found and found.plain else None


def _loaded(text: str | bytes) -> Any:
    try:
        return yaml.load(text, LOADER)  # noqa: S506 - a safe one
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _merged(held: Any, patch: Any) -> Any:
    """A JSON document with a merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    found = dict(_object(held))
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = _merged(found.get(name), value)
    return found


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _array(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()
