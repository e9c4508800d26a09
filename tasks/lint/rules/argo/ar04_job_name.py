"""AR04 job-name: each database has the Job that services.yaml expects, under a fixed name.

Problem: The chart makes no Job of the expected name: it has another one, Kubernetes makes one up (`generateName`),
there is none, or the chart does not render at all.

Consequence: `kubectl logs job/NAME` finds nothing, nothing proves that goose ran, and a database whose Job is missing
is not migrated before the application. Argo CD names a `generateName` hook anew in each sync.

Solution: Call the Job what `job` of the database says in services.yaml: `<service>-migrate`, or
`<service>-migrate-<database>` where a service has several.

Source: Argo CD 3.2, gitops-engine/pkg/sync/sync_context.go (`generateName` of hooks becomes prefix, revision, phase and
time).
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.manifest import Place
from tasks.lint.finding import Flaw
from tasks.lint.release import Release, flaw, migrations
from tasks.lint.rule import Rule

__all__ = ["RULE", "check"]

RULE = Rule(code="AR04", name="job-name", severity="error", needs="release")


def check(release: Release) -> Iterator[Flaw]:
    """Each migration Job that services.yaml does not know, and each of its Jobs that is not made."""
    for place, why in release.broken:
        message = f"The chart makes nothing for {release.environment}, neither a Job nor the application: {why}"
        yield flaw(place, f"{message.rstrip('.')}.")
    if release.broken:
        return
    made = list(migrations(release))
    missing = {name: database for name, database in release.jobs.items() if name not in {job.name for job in made}}
    strangers = [job for job in made if job.name not in release.jobs]
    for job in strangers:
        made_up = not job.name
        what = "has no fixed name" if made_up else f"is called {job.name}"
        wanted = " or ".join(missing or release.jobs)
        yield flaw(
            job.at("metadata", "generateName" if made_up else "name"),
            f"The Job {what}, and services.yaml expects {wanted}: its log and its result will not be found.",
            instead=f"name: {next(iter(missing or release.jobs), '')}",
        )
    for name, database in list(missing.items())[len(strangers) :]:
        message = (
            f"No Job {name} is made for {release.environment}: a sync rolls out the application and does not migrate"
        )
        yield flaw(Place(release.template), f"{message} {database}.")
