"""AR03 delete-policy: a migration Job stays until the next sync replaces it.

Problem: The hook's delete policy removes the Job when it has succeeded or failed, or nothing says which policy holds.

Consequence: `HookSucceeded` deletes the Job before its log can be read, so nothing proves that goose ran; `HookFailed`
deletes what tells why it failed. Without `BeforeHookCreation` the old Job is in the way of the next one.

Solution: Annotate the Job: `argocd.argoproj.io/hook-delete-policy: BeforeHookCreation`. It is the default, and Helm's
`hook-delete-policy` adds to it.

Source: Argo CD 3.2, docs/user-guide/sync-waves.md ("Hook lifecycle and cleanup"), gitops-engine/pkg/sync/hook/
delete_policy.go (`DeletePolicies`, which joins Helm's with its own).
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.lint.finding import Flaw
from tasks.lint.release import HELM_POLICY, POLICY, Release, delete_policies, flaw, hooks, migrations
from tasks.lint.rule import Rule

__all__ = ["RULE", "check"]

RULE = Rule(code="AR03", name="delete-policy", severity="error", needs="release")


def check(release: Release) -> Iterator[Flaw]:
    """Each migration hook that another policy than BeforeHookCreation holds for, and each without a word of it."""
    for job in migrations(release):
        policies = delete_policies(job)
        if not hooks(job) or policies == {"BeforeHookCreation"}:
            continue
        key = POLICY if POLICY in job.annotations or HELM_POLICY not in job.annotations else HELM_POLICY
        place = job.at("metadata", "annotations", key)
        instead = f"{POLICY}: BeforeHookCreation"
        if "HookSucceeded" in policies:
            yield flaw(
                place,
                "Argo CD deletes the migration Job when it has succeeded, before its log is read.",
                instead=instead,
            )
        elif "HookFailed" in policies:
            yield flaw(
                place, "Argo CD deletes the migration Job when it has failed, and with it the reason.", instead=instead
            )
        else:
            message = "Nothing says when Argo CD deletes the migration Job; what it does today is not promised to stay."
            yield flaw(place, message, instead=instead)._replace(severity="warning")
