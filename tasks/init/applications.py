"""What Argo CD's manifests say of environments: the Applications' names, namespaces, branches, and automated sync."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from schemas.helm_template import resources
from schemas.yaml_lenient import documents, flat
from tasks.init.layout import short, within
from tasks.init.survey import Survey

__all__ = ["Application", "Automated", "applications", "automated", "server"]

ARGO = "argoproj.io/"
KINDS = ("Application", "ApplicationSet")
PLACEHOLDER = re.compile(r"\{\{-?\s*\.?(?P<name>[\w.\[\]]+?)\s*-?\}\}")
ENVIRONMENT = frozenset(("env", "environment", "stage", "cluster", "values.env", "values.environment"))
AUTOMATED = re.compile(r"^[ \t]+(?P<automated>automated):(?!.*enabled: *false)", re.MULTILINE)
VALUES = re.compile(r"(?:.*/)?values[-._](?P<environment>[a-z][a-z0-9-]*)\.ya?ml")


class Application(NamedTuple):
    """Applications of one environment, as one manifest tells them; ``{service}`` stands for a service's name."""

    path: str
    environment: str
    name: str
    namespace: str
    branch: str
    source: str  # the folder that it reads
    cluster: str  # its name in Argo CD, where one is given


class Automated(NamedTuple):
    """A manifest that has Argo CD sync by itself."""

    path: str
    line: int
    name: str


def applications(survey: Survey, names: Mapping[str, str], environments: Collection[str]) -> tuple[Application, ...]:
    """Every Application of a service; ``names`` are the services' names by folder."""
    found: list[Application] = []
    for path, document in _manifests(survey):
        spec = document.get("spec")
        if isinstance(spec, dict):
            many = document["kind"] == "ApplicationSet"
            found += _set(path, spec, environments) if many else _one(path, document, names, environments)
    return tuple(sorted(set(found)))


def automated(survey: Survey) -> tuple[Automated, ...]:
    """Every manifest whose sync policy is automated; an empty ``automated`` is on, ``enabled: false`` is off."""
    found: list[Automated] = []
    read: set[str] = set()
    for path, document in _manifests(survey):
        read.add(path)
        spec: Any = document.get("spec")
        template: Any = spec.get("template") if isinstance(spec, dict) else None
        for holder in (spec, template.get("spec") if isinstance(template, dict) else None):
            policy = holder.get("syncPolicy") if isinstance(holder, dict) else None
            if isinstance(policy, dict) and "automated" in policy:
                on = policy["automated"]
                if not (isinstance(on, dict) and on.get("enabled") is False):
                    text = survey.texts[path]
                    line = text.count("\n", 0, text.find("automated")) + 1
                    found.append(Automated(path=path, line=line, name=_text(document, "metadata", "name")))
    for path, text in survey.texts.items():
        if path.endswith((".yaml", ".yml")) and ARGO in text and path not in read:  # a template, most likely
            found += _in_template(path, text)
    return tuple(sorted(set(found)))


def server(survey: Survey) -> tuple[str, str] | None:
    """Host name of the Argo CD server, where its own settings are in the tree, and the path of that file."""
    for path, text in sorted(survey.texts.items()):
        if "argocd-cm" not in text:
            continue
        for document in documents(text):
            if isinstance(document, dict) and _text(document, "metadata", "name") == "argocd-cm":
                host = re.fullmatch(r"https?://([A-Za-z0-9.-]+(?::[0-9]+)?)/?.*", _text(document, "data", "url"))
                if host:
                    return host[1], path
    return None


def _in_template(path: str, text: str) -> Iterator[Automated]:
    for resource in resources(text):
        policy = AUTOMATED.search(resource.text) if resource.kind in KINDS else None
        if policy:
            line = text.count("\n", 0, text.find(resource.text) + policy.start("automated")) + 1
            yield Automated(path=path, line=line, name=resource.name or "its Application")


def _manifests(survey: Survey) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, text in sorted(survey.texts.items()):
        if path.endswith((".yaml", ".yml")) and ARGO in text:
            for document in documents(text):
                if isinstance(document, dict) and document.get("kind") in KINDS:
                    yield path, document


def _one(
    path: str, document: dict[str, Any], names: Mapping[str, str], environments: Collection[str]
) -> Iterator[Application]:
    name, source = _text(document, "metadata", "name"), _source(document["spec"])
    folder = within(source["path"], names) if source["path"] else None
    folder = folder or within(name.replace("-", "/"), names) or _by_name(name, names)
    namespace = _text(document["spec"], "destination", "namespace")
    environment = _environment(source["values"], (name, namespace, path), environments)
    if folder is None or not environment or not name:
        return
    for known in (names[folder], folder.rpartition("/")[2], short(names[folder])):
        if known in name:
            yield Application(
                path=path,
                environment=environment,
                name=name.replace(known, "{service}", 1) if known == names[folder] else "",
                namespace=namespace.replace(names[folder], "{service}"),
                branch=source["branch"],
                source=source["path"],
                cluster=_text(document["spec"], "destination", "name"),
            )
            return


def _set(path: str, spec: dict[str, Any], environments: Collection[str]) -> Iterator[Application]:
    template = spec.get("template")
    if not isinstance(template, dict) or not isinstance(template.get("spec"), dict):
        return
    name, source = _text(template, "metadata", "name"), _source(template["spec"])
    elements = flat(spec.get("generators"))
    listed = {
        str(value)
        for key, value in elements.items()
        if key.rpartition(".")[2] in {one.rpartition(".")[2] for one in ENVIRONMENT}
    }
    fixed = _environment(
        source["values"], (name, _text(template["spec"], "destination", "namespace"), path), environments
    )
    for environment in sorted(listed) or [fixed]:
        filled = _filled(name, environment)
        if environment and filled:
            yield Application(
                path=path,
                environment=environment,
                name=filled if filled.count("{service}") == 1 else "",
                namespace=_filled(_text(template["spec"], "destination", "namespace"), environment),
                branch=source["branch"],
                source=source["path"],
                cluster="",
            )


def _filled(text: str, environment: str) -> str:
    """A text of a template in one environment; every other placeholder is taken for the service."""
    return PLACEHOLDER.sub(lambda found: environment if found["name"] in ENVIRONMENT else "{service}", text)


def _source(spec: dict[str, Any]) -> dict[str, str]:
    source: Any = spec.get("source")
    sources = spec.get("sources")
    if not isinstance(source, dict) and isinstance(sources, list):
        source = next((one for one in sources if isinstance(one, dict) and "path" in one), None)
    if not isinstance(source, dict):
        return {"path": "", "branch": "", "values": ""}
    helm: Any = source.get("helm")
    files = helm.get("valueFiles") if isinstance(helm, dict) else None
    last = next((one for one in reversed(files) if isinstance(one, str)), "") if isinstance(files, list) else ""
    return {"path": _text(source, "path"), "branch": _text(source, "targetRevision"), "values": last}


def _environment(values: str, texts: tuple[str, ...], environments: Collection[str]) -> str:
    """The environment that a values file is called after, else the known one that a text has as a part."""
    named = VALUES.fullmatch(values)
    if named:
        return named["environment"]
    parts = [part for text in texts for part in re.split(r"[^a-z0-9]+", text.lower())]
    return next((part for part in parts if part in environments), "")


def _by_name(name: str, names: Mapping[str, str]) -> str | None:
    fitting = sorted((service for service in names.items() if service[1] in name), key=lambda one: -len(one[1]))
    return fitting[0][0] if fitting else None


def _text(data: Any, *keys: str) -> str:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, str) else ""
