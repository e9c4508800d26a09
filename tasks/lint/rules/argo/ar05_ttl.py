"""AR05 ttl: a migration Job is not cleared away by its own clock.

Problem: The Job has `ttlSecondsAfterFinished`.

Consequence: Kubernetes deletes it that long after its end, with its pods and their log. If that is before Argo CD has
looked, the sync waits for a Job that is gone (argo-cd issue 21055); later, nothing proves what was migrated.

Solution: Leave the field out. `BeforeHookCreation` keeps one Job and replaces it in the next sync.

Source: Kubernetes 1.34, concepts/workloads/controllers/ttlafterfinished; Argo CD issues 21055 and 18884.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.lint.finding import Flaw
from tasks.lint.release import Release, flaw, migrations
from tasks.lint.rule import Rule

__all__ = ["RULE", "check"]

RULE = Rule(code="AR05", name="ttl", severity="error", needs="release")


def check(release: Release) -> Iterator[Flaw]:
    """Each migration Job with a time to live."""
    for job in migrations(release):
        seconds = job.get("spec", "ttlSecondsAfterFinished")
        if seconds is not None:
            yield flaw(
                job.at("spec", "ttlSecondsAfterFinished"),
                f"Kubernetes deletes the migration Job {seconds} s after its end, maybe before its log was read.",
            )
