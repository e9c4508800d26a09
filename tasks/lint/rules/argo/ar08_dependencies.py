"""AR08 dependencies: what a migration Job needs is there before it.

Problem: The chart makes a Secret, ConfigMap, ServiceAccount or volume claim that the Job uses, and makes it in a later
phase or wave, or in the same wave.

Consequence: The first install fails or hangs: the pod waits for a Secret that Argo CD applies only after the Job has
ended. Later syncs run with the values of the release before.

Solution: Annotate it as a hook of an earlier wave, `argocd.argoproj.io/hook: PreSync` and
`argocd.argoproj.io/sync-wave: "-1"`, or make it outside of the chart.

Source: Argo CD 3.2, docs/user-guide/sync-waves.md (order: phase, wave, kind, name; custom resources after Kubernetes'
own). In one wave only that order keeps a Secret before the Job, and nothing waits for a controller that is to make one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from schemas.manifest import Manifest
from tasks.lint.finding import Flaw
from tasks.lint.release import HOOK, Release, flaw, hooks, listed, migrations, pods, wave
from tasks.lint.rule import Rule

__all__ = ["RULE", "check"]

RULE = Rule(code="AR08", name="dependencies", severity="error", needs="release")
WAVE = "argocd.argoproj.io/sync-wave"
MAKERS = ("SealedSecret", "ExternalSecret")  # of Secrets, by a controller: bitnami.com and external-secrets.io
SOURCES = {  # key of a reference -> what it is to, and where its name stands
    "secretKeyRef": ("Secret", "name"),
    "secretRef": ("Secret", "name"),
    "secret": ("Secret", "secretName"),
    "configMapKeyRef": ("ConfigMap", "name"),
    "configMapRef": ("ConfigMap", "name"),
    "configMap": ("ConfigMap", "name"),
    "persistentVolumeClaim": ("PersistentVolumeClaim", "claimName"),
}


def check(release: Release) -> Iterator[Flaw]:
    """Each object that a migration Job uses and that is not surely there when its pod starts."""
    made = {(kind, name): one for one in release.manifests for kind, name in _made(one)}
    for job in migrations(release):
        for kind, name in dict.fromkeys(found for _, spec in pods(job) for found in _used(spec)):
            needed = made.get((kind, name))
            if needed is None:
                continue
            instead = f'{HOOK}: PreSync\n{WAVE}: "{wave(job) - 1}"'
            what = f"The {needed.kind} {name} that the migration Job needs"
            place = needed.at("metadata", "annotations", HOOK if HOOK not in needed.annotations else WAVE)
            if "PreSync" not in hooks(needed):
                yield flaw(
                    place, f"{what} is applied only after that Job: the first install cannot end.", instead=instead
                )
            elif wave(needed) > wave(job) or (wave(needed) == wave(job) and needed.kind in MAKERS):
                yield flaw(place, f"{what} is applied in a later wave than that Job.", instead=instead)
            elif wave(needed) == wave(job):
                message = f"{what} is applied in the same wave, and only the order of kinds keeps it before that Job."
                yield flaw(place, message, instead=instead)._replace(severity="warning")


def _made(manifest: Manifest) -> Iterator[tuple[str, str]]:
    if manifest.kind in MAKERS:
        named = manifest.get("spec", "target", "name") or manifest.get("spec", "template", "metadata", "name")
        yield "Secret", str(named or manifest.name)
    else:
        yield manifest.kind, manifest.name


def _used(value: Any) -> Iterator[tuple[str, str]]:
    """What a pod's specification refers to, as kind and name; what may be missing (`optional`) is left out."""
    if isinstance(value, list):
        for one in value:
            yield from _used(one)
    if not isinstance(value, dict):
        return
    if isinstance(value.get("serviceAccountName"), str):
        yield "ServiceAccount", value["serviceAccountName"]
    for pull in listed(value.get("imagePullSecrets")):
        if isinstance(pull, dict):
            yield "Secret", str(pull.get("name"))
    for key, inner in value.items():
        kind, where = SOURCES.get(key, ("", ""))
        if kind and isinstance(inner, dict) and inner.get("optional") is not True:
            yield kind, str(inner.get(where) or inner.get("name"))
        yield from _used(inner)
