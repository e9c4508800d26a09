"""AR06 retries: a migration is tried once, and a pod that never starts ends in the end.

Problem: `restartPolicy` is not Never, `backoffLimit` lets a stream be tried again that must not be, or
`activeDeadlineSeconds` is missing or shorter than an hour.

Consequence: A file without a transaction, or any of ClickHouse, is half-applied after a failure, and the next try meets
that half. Without a deadline an image that cannot be pulled keeps the sync running for ever: Argo CD looks at the Job
and never at its pods. A short one kills a long migration in the middle.

Solution: `restartPolicy: Never`, `backoffLimit: 0`, and an `activeDeadlineSeconds` that no migration reaches, such as
21600: it is a last net, not a limit.

Source: Kubernetes 1.34, concepts/workloads/controllers/job ("Pod backoff failure policy": 6 tries by default; "Job
termination and cleanup"); Argo CD 3.2, gitops-engine/pkg/health/health_job.go.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.manifest import Manifest
from tasks.lint.finding import Flaw
from tasks.lint.release import Release, flaw, migrations, pods
from tasks.lint.rule import Rule

__all__ = ["RULE", "check"]

RULE = Rule(code="AR06", name="retries", severity="error", needs="release")
SHORTEST = 3600  # seconds
DEFAULT_TRIES = 6  # batch/v1 JobSpec.backoffLimit


def check(release: Release) -> Iterator[Flaw]:
    """What lets a migration Job be tried again, be stopped too early, or never be stopped."""
    for job in migrations(release):
        yield from _restarts(job)
        limit = job.get("spec", "backoffLimit")
        tries = DEFAULT_TRIES if limit is None else limit
        why = release.once.get(job.name)
        if why and tries != 0:
            said = f"up to {tries} times" if isinstance(tries, int) else "again"
            yield flaw(
                job.at("spec", "backoffLimit"),
                f"A failed migration is tried {said} on what it left half done: {why}.",
                instead="backoffLimit: 0",
            )
        yield from _deadline(job)


def _restarts(job: Manifest) -> Iterator[Flaw]:
    for path, spec in pods(job):
        policy = spec.get("restartPolicy")
        if policy != "Never":
            yield flaw(
                job.at(*path, "restartPolicy"),
                f"The restartPolicy is {policy or 'missing'}: a migration that failed is run again in the same pod.",
                instead="restartPolicy: Never",
            )


def _deadline(job: Manifest) -> Iterator[Flaw]:
    deadline = job.get("spec", "activeDeadlineSeconds")
    place, instead = job.at("spec", "activeDeadlineSeconds"), "activeDeadlineSeconds: 21600"
    if deadline is None:
        yield flaw(place, "A migration pod that never starts keeps the sync running for ever.", instead=instead)
    elif isinstance(deadline, int) and deadline < SHORTEST:
        yield flaw(place, f"A migration that takes longer than {deadline} s is killed in the middle.", instead=instead)
