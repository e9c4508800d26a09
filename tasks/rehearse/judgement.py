"""Whether a rehearsed Job did what a release needs: decided from facts alone, as after a real one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from schemas.goose_log import GooseLog
from schemas.structure import Structure
from tasks.rehearse.job import Job

__all__ = ["Facts", "Verdict", "judge", "startable"]

UNVALIDATED, INVALID = " NOT VALID", " INVALID"  # how PostgreSQL and the structure's reader mark them


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known after a Job's container has ended."""

    files: Mapping[int, str]  # the image's: version -> name
    before: Mapping[int, str]  # of the migrations that the database stood at, the same
    log: GooseLog
    code: int | None  # of its exit; None: it was ended at its deadline
    deadline: int | None = None  # seconds
    explained: str = ""  # why goose stopped, with the place in the file, where that was found
    directory: str = ""  # where the Job has goose look
    folders: Collection[str] = ()  # those of the image that hold migrations
    table: str = "goose_db_version"  # as services.yaml has it
    tables: Mapping[str, Collection[int]] = field(default_factory=dict)  # goose's -> versions held
    structure: Structure = field(default_factory=dict)
    validated: Collection[str] = ()  # names of constraints that the image's files validate


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found: nothing of it, and the Job would do its work."""

    stood: int = 0  # migrations that were there before
    ran: Sequence[str] = ()  # files, in the order of the log
    findings: Sequence[str] = ()
    notes: Sequence[str] = ()


def startable(job: Job, image: str, image_user: str) -> Iterator[str]:
    """What keeps a Job's pod from running the image that is rehearsed, before anything has run.

    Kubernetes 1.34, tasks/configure-pod-container/security-context: with runAsNonRoot a user must be a number, not 0.
    """
    if job.image != image:
        yield (
            f"it runs {job.image or 'no image'}, and promoted would be {image}: the template, or the values files that"
            " Argo CD reads, do not take the image from the key that services.yaml names"
        )
    user = (job.user or image_user).partition(":")[0]
    if job.no_root and not user.isdigit():
        yield f"runAsNonRoot: Kubernetes cannot tell whether the user `{user or 'root'}` is root, and starts no pod"
    elif job.no_root and int(user) == 0:
        yield "runAsNonRoot: the user is root, and Kubernetes starts no pod"


def judge(facts: Facts) -> Verdict:
    """What of a rehearsal is not as a release needs it, the cause first."""
    held = frozenset(facts.tables.get(facts.table, ())) - {0}
    extra = held - facts.files.keys()
    known = [version for version in sorted(extra) if version in facts.before]
    notes = [f"{facts.before[version]} is not in the new image: what it did stays" for version in known]
    return Verdict(
        stood=len(facts.before),
        ran=[one.name for one in facts.log.ran],
        findings=[*_ended(facts), *_versions(facts, held), *_strangers(facts, extra), *_left(facts)],
        notes=notes,
    )


def _ended(facts: Facts) -> Iterator[str]:
    """How the container ended, where that was not well."""
    failure = facts.log.failure
    if facts.code is None:
        yield (
            f"it ran longer than its activeDeadlineSeconds of {facts.deadline} s:"
            " in the cluster it is ended there, in the middle of a migration"
        )
    elif facts.folders and facts.directory not in facts.folders:
        has = ", ".join(sorted(facts.folders))
        yield f"GOOSE_MIGRATION_DIR is {facts.directory or 'not set'}, and the image has no such folder (it has: {has})"
    elif facts.explained:
        yield facts.explained
    elif failure:
        at = f"{failure.name}: " if failure.name else ""
        yield f"{at}{failure.message.strip()}"
    elif facts.code:
        yield f"it ended with exit code {facts.code}, and its log does not say why"


def _versions(facts: Facts, held: frozenset[int]) -> Iterator[str]:
    """Files that are not applied, and what the log says otherwise than the version table."""
    missing = [name for version, name in facts.files.items() if version not in held]
    others = [name for name, versions in facts.tables.items() if name != facts.table and set(versions) - {0}]
    if missing and not facts.explained:
        yield f"not applied: {', '.join(missing)}"
    if others and not held:
        yield f"services.yaml names the version table {facts.table}, and goose wrote to {', '.join(others)}"
    if facts.code == 0 and not facts.log.failure and not missing:
        new = [name for version, name in facts.files.items() if version not in facts.before]
        ran = [one.name for one in facts.log.ran]
        if ran != new:
            yield f"its log tells of {', '.join(ran) or 'no file'}, and new are {', '.join(new) or 'none'}"


def _strangers(facts: Facts, extra: Collection[int]) -> Iterator[str]:
    for version in sorted(extra - facts.before.keys()):
        yield f"the version table holds {version}, which is in no file of the image, nor of the one before it"


def _left(facts: Facts) -> Iterator[str]:
    """What a migration that went half-way leaves behind."""
    for one, definition in sorted(facts.structure.items()):
        if one.kind == "index" and definition.endswith(INVALID):
            yield f"the index {one.name} is invalid: its CREATE INDEX CONCURRENTLY did not end"
        bare = one.name.rpartition(".")[2].strip('"')
        if one.kind == "constraint" and definition.endswith(UNVALIDATED) and bare in facts.validated:
            yield f"the constraint {one.name} is still NOT VALID, though the files validate it"
