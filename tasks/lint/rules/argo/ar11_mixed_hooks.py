"""AR11 mixed-hooks: a chart's hooks are of one kind.

Problem: Objects carry `helm.sh/hook`, and there are hooks of Argo CD in the same chart.

Consequence: Argo CD passes over Helm's annotation of an object that has its own, and its manual says that it ignores
all Helm hooks of an application that defines one of its own: they are then applied together with everything else.

Solution: Say all hooks in Argo CD's annotations: `argocd.argoproj.io/hook`, `…/hook-delete-policy`, `…/sync-wave`.

Source: Argo CD 3.2, docs/user-guide/helm.md ("Helm Hooks"), gitops-engine/pkg/sync/hook/hook.go (`Types`).
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.lint.finding import Flaw
from tasks.lint.release import HELM_HOOK, HOOK, Release, flaw
from tasks.lint.rule import Rule

__all__ = ["RULE", "check"]

RULE = Rule(code="AR11", name="mixed-hooks", severity="warning", needs="release")
TESTS = {"test", "test-success", "test-failure"}  # for `helm test`, which Argo CD never runs


def check(release: Release) -> Iterator[Flaw]:
    """Each Helm hook of a chart that has hooks of Argo CD."""
    if not any(HOOK in one.annotations for one in release.manifests):
        return
    for one in release.manifests:
        helm = {word.strip() for word in one.annotations.get(HELM_HOOK, "").split(",") if word.strip()}
        if helm - TESTS:
            message = (
                f"Argo CD ignores the Helm hook of the {one.kind} {one.name}, as this chart has hooks of its own kind."
            )
            yield flaw(one.at("metadata", "annotations", HELM_HOOK), message)
