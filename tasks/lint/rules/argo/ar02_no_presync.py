"""AR02 no-presync: the migration Job runs before anything else of a sync.

Problem: The Job that runs goose is no PreSync hook.

Consequence: Argo CD applies it together with the application, so new pods may start on the old schema. And an ordinary
Job is never run again: its pod template cannot be changed, so the next release fails to sync.

Solution: Annotate the Job: `argocd.argoproj.io/hook: PreSync`.

Source: Argo CD 3.2, docs/user-guide/sync-waves.md ("How phases work?"), gitops-engine/pkg/sync/hook/hook.go; Kubernetes
1.34, concepts/workloads/controllers/job ("Pod Template", immutable `spec.template`).
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.lint.finding import Flaw
from tasks.lint.release import HOOK, Release, flaw, hooks, migrations
from tasks.lint.rule import Rule

__all__ = ["RULE", "check"]

RULE = Rule(code="AR02", name="no-presync", severity="error", needs="release")


def check(release: Release) -> Iterator[Flaw]:
    """Each migration Job that belongs to another phase than PreSync, or to none."""
    for job in migrations(release):
        phases = hooks(job)
        if phases != {"PreSync"}:
            when = f"in the phase {', '.join(sorted(phases))}" if phases else "beside the application"
            yield flaw(
                job.at("metadata", "annotations", HOOK),
                f"The migration Job runs {when}, not before it: new pods may meet the old schema.",
                instead=f"{HOOK}: PreSync",
            )
