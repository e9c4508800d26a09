"""AR09 server-side-apply: a migration Job is not applied on the server's side.

Problem: `ServerSideApply=true` holds for the Application or the Job, and the Job has the policy BeforeHookCreation.

Consequence: Argo CD may apply the hook to the old Job before that is deleted: the Job then runs in every second sync
only (argo-cd issue 14929), and the others roll out without migrating.

Solution: Annotate the Job: `argocd.argoproj.io/sync-options: ServerSideApply=false`, or leave the option out.

Source: Argo CD 3.2, docs/user-guide/sync-options.md ("Server-Side Apply"; an object's annotation goes before the
Application's); Argo CD issue 14929.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.lint.finding import Flaw
from tasks.lint.release import Release, delete_policies, flaw, hooks, listed, migrations, several
from tasks.lint.rule import Rule

__all__ = ["RULE", "check"]

RULE = Rule(code="AR09", name="server-side-apply", severity="warning", needs="release")
OPTIONS = "argocd.argoproj.io/sync-options"
MESSAGE = "With ServerSideApply the migration Job may run in every second sync only."
ON, OFF = "ServerSideApply=true", "ServerSideApply=false"


def check(release: Release) -> Iterator[Flaw]:
    """Where the option is given: at the Job, or at an Application for a Job that does not refuse it."""
    replaced = {"BeforeHookCreation"}
    jobs = [one for one in migrations(release) if hooks(one) and (delete_policies(one) or replaced) & replaced]
    for job in jobs:
        if ON in several(job, OPTIONS):
            yield flaw(job.at("metadata", "annotations", OPTIONS), MESSAGE, instead=f"{OPTIONS}: {OFF}")
    open_to_it = [job for job in jobs if OFF not in several(job, OPTIONS)]
    for manifest in release.applications if open_to_it else ():
        for above in (("spec",), ("spec", "template", "spec")):
            options = listed(manifest.get(*above, "syncPolicy", "syncOptions"))
            if ON in options:
                place = manifest.at(*above, "syncPolicy", "syncOptions", options.index(ON))
                yield flaw(place, MESSAGE)
