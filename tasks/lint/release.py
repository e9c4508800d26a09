"""What a service's chart makes for one environment, as rules see it, and how Argo CD and Kubernetes read it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from schemas.manifest import Manifest, Place
from tasks.lint.finding import Flaw

__all__ = [
    "HELM_HOOK",
    "HELM_POLICY",
    "HOOK",
    "POLICY",
    "Release",
    "commands",
    "containers",
    "delete_policies",
    "flaw",
    "hooks",
    "listed",
    "migrations",
    "pods",
    "runs_goose",
    "several",
    "wave",
]

HOOK = "argocd.argoproj.io/hook"
HELM_HOOK = "helm.sh/hook"
PHASES = ("PreSync", "Sync", "Skip", "PostSync", "SyncFail", "PreDelete", "PostDelete")
HELM_PHASES = {"crd-install": "PreSync", "pre-install": "PreSync", "pre-upgrade": "PreSync"}
HELM_PHASES |= {"post-install": "PostSync", "post-upgrade": "PostSync", "post-delete": "PostDelete"}
POLICY = "argocd.argoproj.io/hook-delete-policy"
HELM_POLICY = "helm.sh/hook-delete-policy"
HELM_POLICIES = {
    "before-hook-creation": "BeforeHookCreation",
    "hook-succeeded": "HookSucceeded",
    "hook-failed": "HookFailed",
}
GOOSE = re.compile(r"(?:^|[\s/;&|\"'])goose(?:$|[\s;&|\"':@])")

Path = tuple[str | int, ...]


class Release(NamedTuple):
    """One service in one environment."""

    service: str
    environment: str
    template: str  # file of the migration Job, where it is told what is missing
    jobs: Mapping[str, str]  # the name of each Job that services.yaml expects -> its database
    once: Mapping[str, str]  # of these, the ones whose files must not be tried again blindly -> why
    manifests: tuple[Manifest, ...]  # what the chart renders to
    applications: tuple[Manifest, ...] = ()  # Argo CD's Applications and ApplicationSets that deploy it
    broken: tuple[tuple[Place, str], ...] = ()  # why the chart, or a file of it, comes to nothing, and where
    image: str = ""  # what a chart that follows its values runs goose from; empty where no values key is named


def flaw(place: Place, message: str, *, instead: str = "") -> Flaw:
    """A flaw at the place of a manifest's part."""
    return Flaw(message, line=place.line, column=place.column, path=place.file, instead=instead)


def migrations(release: Release) -> Iterator[Manifest]:
    """The Jobs that migrate: by their name, by the file that they are in, or because goose runs in them."""
    for one in release.manifests:
        if one.kind == "Job" and (
            one.name in release.jobs
            or one.file == release.template
            or any(runs_goose(container) for _, container in containers(one))
        ):
            yield one


def pods(manifest: Manifest) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The specification of the pods that an object makes, and its path.

    Pod: core/v1 PodSpec; CronJob: batch/v1; others: a PodTemplateSpec under ``spec.template``.
    """
    paths: dict[str, Path] = {"Pod": ("spec",), "CronJob": ("spec", "jobTemplate", "spec", "template", "spec")}
    path = paths.get(manifest.kind, ("spec", "template", "spec"))
    spec = manifest.get(*path)
    if isinstance(spec, dict):
        yield path, spec


def containers(manifest: Manifest) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The containers of an object's pods, those that run before the others first, each with its path."""
    for path, spec in pods(manifest):
        for key in ("initContainers", "containers"):
            for number, container in enumerate(listed(spec.get(key))):
                if isinstance(container, dict):
                    yield (*path, key, number), container


def runs_goose(container: Mapping[str, Any]) -> bool:
    """Whether a container runs goose, as far as it can be seen: by its variables, its command, or its image."""
    names = [one.get("name") for one in listed(container.get("env")) if isinstance(one, dict)]
    said = [*commands(container), str(container.get("image") or "")]
    return any(str(name).startswith("GOOSE_") for name in names) or any(GOOSE.search(word) for word in said)


def commands(container: Mapping[str, Any]) -> Iterator[str]:
    """The words of what a container runs."""
    for key in ("command", "args"):
        yield from (str(word) for word in listed(container.get(key)))


def hooks(manifest: Manifest) -> frozenset[str]:
    """The phases of a sync that an object belongs to; empty for one that is no hook.

    Argo CD 3.2, gitops-engine/pkg/sync/hook/hook.go `Types`: a comma-separated list of names, unknown ones passed over;
    only an object without any is looked at for Helm's hooks (docs/user-guide/helm.md, "Helm Hooks").
    """
    phases = frozenset(one for one in several(manifest, HOOK) if one in PHASES)
    return phases or frozenset(HELM_PHASES[one] for one in several(manifest, HELM_HOOK) if one in HELM_PHASES)


def delete_policies(manifest: Manifest) -> frozenset[str]:
    """When Argo CD deletes a hook; empty where nothing says it, and its default holds: BeforeHookCreation.

    Argo CD 3.2, gitops-engine/pkg/sync/hook/delete_policy.go: its own words, and Helm's beside them.
    """
    own = (one for one in several(manifest, POLICY) if one in HELM_POLICIES.values())
    helm = (HELM_POLICIES[one] for one in several(manifest, HELM_POLICY) if one in HELM_POLICIES)
    return frozenset((*own, *helm))


def wave(manifest: Manifest) -> int:
    """The wave of its phase that an object is applied in, lower ones first; 0 without a word.

    Argo CD 3.2, docs/user-guide/sync-waves.md; Helm's weight counts where there is none (docs/user-guide/helm.md).
    """
    for key in ("argocd.argoproj.io/sync-wave", "helm.sh/hook-weight"):
        found = manifest.annotations.get(key, "").strip()
        if re.fullmatch(r"[+-]?\d{1,9}", found):
            return int(found)
    return 0


def listed(value: Any) -> list[Any]:
    """A list as it is, and nothing for what should have been one."""
    return value if isinstance(value, list) else []


def several(manifest: Manifest, key: str) -> list[str]:
    """The words of an annotation that holds several, with commas between them."""
    return [one.strip() for one in manifest.annotations.get(key, "").split(",") if one.strip()]
