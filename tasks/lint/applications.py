"""What Applications and ApplicationSets say of a service's chart: whether they deploy it, and with which values.

Fields of Argo CD 3.2, pkg/apis/application/v1alpha1/types.go: ApplicationSource, ApplicationSourceHelm.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from schemas.catalog import Environment, Service
from schemas.manifest import Manifest
from schemas.yaml_lenient import read
from tasks.lint.release import listed

__all__ = ["KINDS", "Deployment", "Index", "deploying", "deployment", "indexed"]

KINDS = ("Application", "ApplicationSet")
PLACEHOLDER = re.compile(r"\{\{.*?\}\}")
PLAIN = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*")


class Deployment(NamedTuple):
    """How Argo CD renders a chart: its own words where an Application says them."""

    release: str
    values: tuple[str, ...]  # files, relative to the root
    sets: Mapping[str, Any]  # dotted keys


class Index(NamedTuple):
    """Applications by what they are asked for by: a monorepo may have thousands."""

    named: Mapping[str, list[Manifest]]
    reading: Mapping[str, list[Manifest]]  # by the folder of each of their sources
    sets: tuple[Manifest, ...]


def indexed(manifests: Iterable[Manifest]) -> Index:
    """Applications and ApplicationSets, to be asked."""
    named: dict[str, list[Manifest]] = {}
    reading: dict[str, list[Manifest]] = {}
    sets = []
    for one in manifests:
        if one.kind == "ApplicationSet":
            sets.append(one)
            continue
        named.setdefault(one.name, []).append(one)
        for source in _sources(one.get("spec")):
            reading.setdefault(_path(source), []).append(one)
    return Index(named, reading, tuple(sets))


def deploying(index: Index, service: Service, chart: str, environment: Environment) -> list[Manifest]:
    """Those that deploy a service to an environment; an ApplicationSet counts for every one of its own."""
    name = environment.argocd.application.replace("{service}", service.name) if environment.argocd else ""
    named = index.named.get(name, []) if name else []
    there = [
        one
        for folder in dict.fromkeys((chart, service.folder))
        for one in index.reading.get(folder, ())
        if _is_in(one, environment) and not any(one is other for other in named)
    ]
    covering = [
        one
        for one in index.sets
        if any(_covers(_path(source), service, chart, one) for source in _sources(one.get("spec", "template", "spec")))
    ]
    return [*named, *there, *covering]


def deployment(manifests: list[Manifest], service: Service, chart: str, environment: Environment) -> Deployment:
    """How the chart is rendered: as the only Application says, else with the values file of services.yaml."""
    values = environment.values.file.replace("{service}", service.name) if environment.values else ""
    applications = [one for one in manifests if one.kind == "Application"]
    source = (
        next((one for one in _sources(applications[0].get("spec")) if _path(one) == chart), None)
        if applications
        else None
    )
    if source is None:
        return Deployment(service.name, (values,) if values else (), {})
    helm = source["helm"] if isinstance(source.get("helm"), dict) else {}
    named = [one for one in listed(helm.get("valueFiles")) if isinstance(one, str)]
    files = tuple(path for one in named if (path := _inside(chart, one)))
    release = helm.get("releaseName") or applications[0].name or service.name
    return Deployment(str(release), files, {**_object(helm), **_parameters(helm)})


def _is_in(application: Manifest, environment: Environment) -> bool:
    there = application.get("spec", "destination", "namespace")
    return environment.namespace is None or there is None or there == environment.namespace


def _covers(path: str, service: Service, chart: str, manifest: Manifest) -> bool:
    """Whether a path of a template, with its expressions filled in by the generators, may be the service's."""
    if "{{" not in path:
        return path in {chart, service.folder}
    if PLACEHOLDER.sub("", path).strip("/"):
        pattern = "[^/]+".join(re.escape(part) for part in PLACEHOLDER.split(path))
        return any(re.fullmatch(pattern, one) for one in (chart, service.folder))
    listed = [one.strip("/") for one in _texts(manifest.get("spec", "generators")) if "/" in one]
    return any(fnmatch.fnmatchcase(one, pattern) for one in (chart, service.folder) for pattern in listed)


def _sources(spec: Any) -> list[dict[str, Any]]:
    """The sources of an Application that are folders of a repository."""
    if not isinstance(spec, dict):
        return []
    several = spec.get("sources")
    found = several if isinstance(several, list) else [spec.get("source")]
    return [one for one in found if isinstance(one, dict) and isinstance(one.get("path"), str)]


def _path(source: dict[str, Any]) -> str:
    return posixpath.normpath(str(source["path"]).strip("/"))


def _inside(chart: str, file: str) -> str:
    """A values file relative to the root; empty for one from elsewhere. `$name/…` is another source's root."""
    if "://" in file or "{{" in file:
        return ""
    if file.startswith("$"):
        return posixpath.normpath(file.partition("/")[2])
    path = posixpath.normpath(posixpath.join(chart, file)) if not file.startswith("/") else file.strip("/")
    return "" if path.startswith("..") else path


def _object(helm: dict[str, Any]) -> dict[str, Any]:
    """The values that stand in the Application itself, by dotted keys."""
    data = helm.get("valuesObject")
    if not isinstance(data, dict) and isinstance(helm.get("values"), str):
        documents = read(helm["values"]).documents
        data = documents[0].data if documents else None
    return dict(_flat(data, "")) if isinstance(data, dict) else {}


def _flat(data: dict[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{above}{key}.")
        elif "." not in key:  # a key with a dot in it has no dotted form
            yield f"{above}{key}", value


def _parameters(helm: dict[str, Any]) -> dict[str, Any]:
    given = [one for one in listed(helm.get("parameters")) if isinstance(one, dict)]
    return {
        one["name"]: one.get("value") if one.get("forceString") else _typed(one.get("value"))
        for one in given
        if isinstance(one.get("name"), str) and PLAIN.fullmatch(one["name"])
    }


def _typed(value: Any) -> Any:
    """A value as `helm template --set` takes it (helm.sh/helm/v4/pkg/strvals, `typedVal`)."""
    if isinstance(value, str):
        if value in {"true", "false"}:
            return value == "true"
        if value == "null":
            return None
        if re.fullmatch(r"0|-?[1-9][0-9]{0,17}", value):
            return int(value)
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(one)
