"""Every verdict on a release in words: what is true, what is safe to do, what to type.

docs/runbook.md has a section of that name for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

__all__ = ["ADVICE", "Advice", "Outcome"]

Outcome = Literal["verified", "verified without", "running", "not proved", "failed"]


class Advice(NamedTuple):
    """The words of a verdict; in braces what is filled in."""

    outcome: Outcome
    what: str
    true: str
    safe: str
    todo: tuple[str, ...] = ()


AGAIN = "doit verify:{target}"
SYNC = "doit sync:{target}"
LOOK = "look at the databases: doit status:{target}"
GOOSE = "goose runs what is missing and nothing twice, so syncing again is safe"
CAREFUL = (
    "a file in a transaction left nothing; of one with NO TRANSACTION, and of any on ClickHouse, some statements may"
    " have stayed: look before it runs again"
)

ADVICE: Mapping[str, Advice] = MappingProxyType(
    {
        "verified": Advice("verified", "verified", "the databases are where the release says", "the next release"),
        "verified-without": Advice(
            "verified without",
            "verified without: {said}",
            "every fact holds that could be seen; services.yaml does not require the others here",
            "the next release here; an environment after this one takes what all five facts bear out alone",
            (AGAIN,),
        ),
        "argocd": Advice(
            "not proved",
            "not proved: Argo CD was not heard. {said}",
            "nothing is known of the operation, its hook and its Jobs",
            "everything: nothing was changed",
            (AGAIN,),
        ),
        "never-synced": Advice(
            "not proved",
            "not proved: {application} was never synced. {said}",
            "no migration ran through Argo CD, or its state was reset",
            GOOSE,
            (SYNC,),
        ),
        "not-taken": Advice(
            "running",
            "not proved: the operation was requested, and no controller has picked it up",
            "nothing has run yet",
            "waiting; asking for another sync is not possible before",
            ("look whether argocd-application-controller runs", AGAIN),
        ),
        "running": Advice(
            "running",
            "not proved: the operation still runs. {said}",
            "a migration may be running now",
            "waiting; a running migration is not to be killed",
            (AGAIN,),
        ),
        "retrying": Advice(
            "running",
            "not proved: the operation failed and will be tried again. {said}",
            "a file that failed may run again",
            CAREFUL,
            (AGAIN,),
        ),
        "other-operation": Advice(
            "running",
            "not proved: an operation of {said} runs",
            "somebody else syncs {application} now",
            "waiting until it is over",
            (AGAIN, SYNC),
        ),
        "pod-never-starts": Advice(
            "failed",
            "failed: the pod of the migration does not start. {said}",
            "no migration has run: the pod never began",
            "terminating the operation: nothing of a migration is running",
            ("mend what the pod waits for", f"end what waits for it: {SYNC} stop=true", SYNC),
        ),
        "automated": Advice(
            "not proved",
            "not proved: automated sync began the last operation, and no release of ours",
            "Argo CD runs migrations whenever its branch moves",
            "switching automated sync off: what ran stays",
            ("argocd app set {application} --sync-policy none", SYNC),
        ),
        "foreign": Advice(
            "not proved",
            "not proved: {said} asked for the last operation, and no release of ours",
            "what ran last was not asked for by a release: ours was overtaken, or there was none",
            GOOSE,
            (SYNC,),
        ),
        "inconsistent": Advice(
            "not proved",
            "not proved: Argo CD contradicts itself. {said}",
            "the controller stopped in the middle, or is of a version with a known fault (argo-cd 28814, 29636)",
            "nothing before the controller is well",
            ("look whether argocd-application-controller runs", AGAIN),
        ),
        "terminated": Advice(
            "failed",
            "failed: the operation was terminated",
            "somebody ended it; Argo CD says of its hook that it succeeded, which means that it was deleted",
            CAREFUL,
            (LOOK, SYNC),
        ),
        "failed-before-hook": Advice(
            "failed",
            "failed before any migration: {said}",
            "no migration has run: the manifests, the commit or the namespace are at fault",
            "everything: the databases are untouched",
            ("mend what Argo CD says", SYNC),
        ),
        "hook-failed": Advice(
            "failed",
            "failed: the migration Job failed. {said}",
            "the application was not rolled out; files before the one that failed are applied",
            CAREFUL,
            (LOOK, "mend the migration and release it: doit deploy:{target}", SYNC),
        ),
        "evicted": Advice(
            "failed",
            "failed: the pod of the migration was taken down from outside. {said}",
            "its migration stopped in the middle",
            CAREFUL,
            (LOOK, SYNC),
        ),
        "failed-elsewhere": Advice(
            "failed",
            "failed: the database is migrated, the application is not. {said}",
            "every migration of the release is applied and proved; the rollout after it failed",
            "mending the rollout and syncing again; until then the old application meets the new schema",
            ("mend what Argo CD says", SYNC),
        ),
        "failed-elsewhere-unproved": Advice(
            "failed",
            "failed after the migration Job: {said}",
            "Argo CD says that the Job succeeded, which the other facts do not bear out: {lacking}",
            GOOSE,
            (LOOK, "mend what Argo CD says", SYNC),
        ),
        "hook-missing": Advice(
            "failed",
            "failed: the operation succeeded without the migration Job. {said}",
            "no migration ran before the application: only some resources were synced, or the chart has lost its hook;"
            " a Job that is no hook runs beside the application",
            GOOSE,
            ("look at the chart: doit lint:{service}", SYNC),
        ),
        "wrong-revision": Advice(
            "not proved",
            "not proved: another commit was synced than the one with this release. {said}",
            "the databases may be behind the release, or before it",
            GOOSE,
            (SYNC,),
        ),
        "other-image": Advice(
            "not proved",
            "not proved: the last operation was for another image. {said}",
            "the values file has changed since",
            GOOSE,
            (SYNC,),
        ),
        "stale-job": Advice(
            "not proved",
            "not proved: the Job is not of this operation. {said}",
            "Argo CD took an earlier Job for this one's, or a clock there is wrong; the migration may not have run",
            GOOSE,
            (SYNC,),
        ),
        "wrong-image": Advice(
            "not proved",
            "not proved: the Job ran another image. {said}",
            "other migrations ran than those of the release",
            GOOSE,
            ("look where the chart takes the image from: doit lint:{service}", SYNC),
        ),
        "job-failed": Advice(
            "failed",
            "failed: the Job failed though Argo CD says that it succeeded. {said}",
            "the application may have been rolled out over an old schema",
            CAREFUL,
            (LOOK, SYNC),
        ),
        "job-open": Advice(
            "not proved",
            "not proved: the Job has not completed though Argo CD says so. {said}",
            "a migration may still be running",
            "waiting",
            (AGAIN,),
        ),
        "log-error": Advice(
            "failed",
            "failed: goose reports an error though Argo CD says that all is well. {said}",
            "the application may have been rolled out over an old schema",
            CAREFUL,
            (LOOK, SYNC),
        ),
        "log-other": Advice(
            "not proved",
            "not proved: the log is of another image. {said}",
            "other migrations ran than those of the release",
            GOOSE,
            (SYNC,),
        ),
        "database-behind": Advice(
            "failed",
            "failed: the database is behind the release. {said}",
            "the Job did its work, and somebody took a version back since; or the URL leads to another database",
            GOOSE,
            (LOOK, SYNC),
        ),
        "database-strange": Advice(
            "not proved",
            "not proved: the database holds what no file explains. {said}",
            "somebody migrated it from files that are not in this repository's history here",
            "nothing before it is known whose they are",
            ("git fetch --all", AGAIN),
        ),
        "unfinished": Advice(
            "not proved",
            "not proved: the database has not finished what the files began. {said}",
            "every version is noted, and some object is not usable or not checked yet",
            "waiting for a mutation; an invalid index is dropped and made again by a new migration",
            (AGAIN,),
        ),
        "revision": Advice(
            "not proved",
            "not proved: nobody knows what the synced commit says. {said}",
            "the operation succeeded at a commit that is not on the branch of services.yaml",
            GOOSE,
            ("git fetch --all", AGAIN, SYNC),
        ),
        "job-gone": Advice(
            "not proved",
            "not proved: the Job cannot be looked at. {said}",
            "Argo CD says that it succeeded; nobody can see any more what it ran",
            GOOSE,
            (SYNC,),
        ),
        "pods-gone": Advice(
            "not proved",
            "not proved: no pod of the Job can be looked at. {said}",
            "the Job completed; nobody can see any more which image its node ran",
            GOOSE,
            (SYNC,),
        ),
        "log-gone": Advice(
            "not proved",
            "not proved: the Job's log is not there, or not whole. {said}",
            "the Job completed; nobody can see any more what goose did",
            GOOSE,
            (SYNC,),
        ),
        "database": Advice(
            "not proved",
            "not proved: the database was not checked. {said}",
            "the Job succeeded; what the database holds now is not known",
            "everything: nothing was changed",
            (AGAIN,),
        ),
        "not-proved": Advice(
            "not proved",
            "not proved: {lacking}",
            "some fact does not hold",
            GOOSE,
            (AGAIN,),
        ),
    }
)
