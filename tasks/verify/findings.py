"""Whether each of the five facts holds, each judged by itself: a release is verified by all of them or not at all.

Times that are compared are the cluster's own, never this machine's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from schemas.application import IMAGE, Row, State
from schemas.job import Job, Pod
from tasks.verify.facts import Expected, Facts, Look, Part, Printed, Seen

__all__ = ["Finding", "Kind", "find", "row"]

NAMED = 3  # files that a sentence names
FEW = 5  # versions that a sentence names
SHORT = len("sha256:") + 12  # of a digest, as `image` shows one
DELETED = "Deleted"  # what the row of a hook says that was taken away; its phase is Succeeded then

Kind = Literal["holds", "unknown", "wrong"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fact, judged: it holds, nobody knows, or it is otherwise. ``code`` names what is wrong."""

    fact: str
    about: str
    kind: Kind
    says: str
    code: str = ""
    source: str = ""
    at: datetime | None = None


def find(facts: Facts, expected: Expected) -> tuple[Finding, ...]:
    """The operation, and for each database of the service its hook, Job, log, and the database itself."""
    found = [_operation(facts, expected)]
    for part in expected.parts:
        seen = facts.jobs.get(part.job, Look())
        found += [
            _hook(facts, expected, part),
            _job(facts, expected, part, seen),
            _log(facts, part, seen.value),
            _database(facts, part),
        ]
    return tuple(found)


def row(state: State, expected: Expected, job: str) -> Row | None:
    """The row of a Job that ran as a PreSync hook of the operation."""
    for one in state.rows:
        if (one.kind, one.name, one.hook) == ("Job", job, "PreSync") and one.namespace in {"", expected.namespace}:
            return one
    return None


def _operation(facts: Facts, expected: Expected) -> Finding:
    look = facts.application
    kind, says, code = next(_of_operation(facts, expected))
    about = expected.application
    return Finding(fact="operation", about=about, kind=kind, says=says, code=code, source=look.source, at=look.at)


def _of_operation(facts: Facts, expected: Expected) -> Iterator[tuple[Kind, str, str]]:
    """What is to be said of the operation; the first counts."""
    application, said = facts.application.value, facts.said
    if application is None:
        yield "unknown", facts.application.why or "nobody looked", "argocd"
        return
    state = application.state
    if application.pending is not None:
        yield "wrong", f"an operation of {application.pending.whose} is not over", "running"
    if state is None:
        yield "unknown", "nothing was ever synced", "never-synced"
        return
    request = state.request
    doubts = [
        (not request.run, "foreign", f"{request.whose} asked for it, and no release of ours"),
        (state.phase != "Succeeded", "failed", f"{state.phase}: {state.message or 'it said nothing'}"),
        (state.finished is None or not state.synced, "inconsistent", "it has no result, or no end"),
        (request.partial or request.dry, "partial", "only some resources were synced, so no hook had to run"),
        (request.told(IMAGE) not in {"", expected.image}, "other-image", f"it was for {request.told(IMAGE)}"),
    ]
    for wrong, code, says in doubts:
        if wrong:
            yield "wrong", says, code
    if said.value is None:
        yield "unknown", said.why or "nobody knows what its commit says", "revision"
    if said.value != expected.image:
        yield "wrong", f"its commit says {said.value or 'no image'}", "wrong-revision"
    commit = ", ".join(one[:12] for one in state.revisions)
    yield "holds", f"run {request.run} of {request.whose}, {commit}, succeeded", ""


def _hook(facts: Facts, expected: Expected, part: Part) -> Finding:
    look = facts.application

    def finding(kind: Kind, says: str, code: str = "") -> Finding:
        return Finding(fact="hook", about=part.job, kind=kind, says=says, code=code, source=look.source, at=look.at)

    state = look.value.state if look.value else None
    if state is None:
        return finding("unknown", "no operation is known")
    one = row(state, expected, part.job)
    if one is None:
        return finding("unknown", "the operation has no row of it", "hook-missing")
    if one.phase != "Succeeded" or one.message == DELETED:
        return finding("wrong", f"{one.phase or one.status or 'no phase'}: {one.message}", "hook-failed")
    if one.images and expected.image not in one.images:
        return finding("wrong", f"it ran {', '.join(one.images)}", "wrong-image")
    return finding("holds", one.message or "Succeeded")


def _job(facts: Facts, expected: Expected, part: Part, look: Look[Seen]) -> Finding:
    def finding(kind: Kind, says: str, code: str = "") -> Finding:
        return Finding(fact="job", about=part.job, kind=kind, says=says, code=code, source=look.source, at=look.at)

    if look.value is None:
        return finding("unknown", look.why or "nobody looked", "job-gone")
    job, pods = look.value.job, look.value.pods
    state = facts.application.value.state if facts.application.value else None
    if state is None:
        return finding("unknown", "no operation is known that it could belong to")
    for code, says in _against(job, pods, state, expected):
        going = code == "job-gone" and job.complete  # as good as gone already
        return finding("unknown" if going else "wrong", says, code)
    ran = next((digest for one in pods for digest in _succeeded(one, expected)), None)
    if ran is None:
        return finding("unknown", "none of its pods is there that ran to a good end", "pods-gone")
    tries = f", {len(pods)} pods" if len(pods) > 1 else ""
    return finding("holds", f"{job.uid}, made {job.created:%Y-%m-%d %H:%M:%S} UTC, ran {ran[:SHORT]}{tries}")


def _against(job: Job, pods: tuple[Pod, ...], state: State, expected: Expected) -> Iterator[tuple[str, str]]:
    """What speaks against a Job being this operation's and having succeeded: a code and a sentence each."""
    if job.created < state.started:
        yield "stale-job", f"made {job.created:%H:%M:%S}, before the operation began {state.started:%H:%M:%S}"
    if state.finished is not None and job.created > state.finished:
        yield "stale-job", f"made {job.created:%H:%M:%S}, after the operation ended {state.finished:%H:%M:%S}"
    if expected.image not in job.images:
        yield "wrong-image", f"it is of {', '.join(job.images) or 'no image'}"
    for one in pods:
        yield from _against_pod(one, job, expected)
    if job.failed:
        yield "job-failed", job.failed
    if job.deleted:
        yield "job-gone", "it is being deleted"
    if not job.complete:
        yield "job-open", "it has not completed"


def _against_pod(pod: Pod, job: Job, expected: Expected) -> Iterator[tuple[str, str]]:
    if pod.owner != job.uid or pod.created < job.created:
        yield "stale-job", f"pod {pod.name} is of another Job"
    for one in pod.containers:
        if one.image == expected.image and one.digest not in {"", *expected.digests}:
            yield "wrong-image", f"pod {pod.name} ran {one.image_id}"


def _succeeded(pod: Pod, expected: Expected) -> Iterator[str]:
    """The digest of the image that a pod ran to a good end, as its node says."""
    for one in pod.containers if pod.phase == "Succeeded" else ():
        if one.image == expected.image and one.digest in expected.digests and one.exit_code == 0:
            yield one.digest


def _log(facts: Facts, part: Part, seen: Seen | None) -> Finding:
    look = facts.logs.get(part.job, Look())

    def finding(kind: Kind, says: str, code: str = "") -> Finding:
        return Finding(fact="log", about=part.job, kind=kind, says=says, code=code, source=look.source, at=look.at)

    if look.value is None:
        return finding("unknown", look.why or "nobody looked", "log-gone")
    last = seen.pods[-1].name if seen and seen.pods else None
    printed = next((one for one in look.value if one.pod == last), None)
    if printed is None:
        return finding("unknown", "there is none of the Job's last pod", "log-gone")
    wrong = _misprint(printed, part, facts)
    if wrong:
        return finding("wrong", *wrong)
    ran = [one.name for one in printed.log.ran]
    rotated = not (ran or printed.log.nothing_to_do)  # a node has thrown away the files that were run
    if printed.cut or printed.log.version is None or rotated:
        return finding("unknown", "it is empty" if not printed.text.strip() else "a part of it is missing", "log-gone")
    return finding("holds", f"applied {_ran(ran)}" if ran else f"nothing to run, at {printed.log.version}")


def _ran(names: list[str]) -> str:
    """The files of a log: a few by name, of many the first and the last, as the log itself is shown too."""
    return f"{len(names)} files, {names[0]} to {names[-1]}" if names[NAMED:] else ", ".join(names)


def _misprint(printed: Printed, part: Part, facts: Facts) -> tuple[str, str] | None:
    """What a log says that does not fit the image or the database, and its code."""
    log = printed.log
    if log.failure:
        return f"{log.failure.name or 'goose'}: {log.failure.message.splitlines()[0]}", "log-error"
    strange = [one.name for one in log.ran if one.name not in part.files.values()]
    if strange:
        return f"it applied {strange[0]}, which the image has not", "log-other"
    if log.version is not None and log.version != part.head:
        held = facts.databases.get(part.label, Look()).value
        newer = log.version > part.head and held is not None and log.version in held.versions
        if not newer:
            return f"it ends at version {log.version}, the image at {part.head}", "log-other"
    return None


def _database(facts: Facts, part: Part) -> Finding:
    look = facts.databases.get(part.label, Look())

    def finding(kind: Kind, says: str, code: str = "") -> Finding:
        return Finding(
            fact="database", about=part.label, kind=kind, says=says, code=code, source=look.source, at=look.at
        )

    held = look.value
    if held is None:
        return finding("unknown", look.why or "nobody looked", "database")
    lacking = sorted(part.files.keys() - held.versions)
    if lacking:
        says = f"it lacks {_listed([part.files[one] for one in lacking])}"
        return finding("wrong", "; ".join([says, *held.against]), "database-behind")
    strange = sorted(held.versions - part.files.keys() - part.known)
    if strange:
        return finding("wrong", f"it has {_listed(map(str, strange))}, which no file explains", "database-strange")
    if held.against:
        return finding("unknown", "; ".join(held.against), "database")
    if held.unfinished:
        return finding("wrong", "; ".join(held.unfinished), "unfinished")
    newer = sorted(held.versions & part.known - part.files.keys())
    more = f", and {len(newer)} of newer releases" if newer else ""
    return finding("holds", f"all {len(part.files)} versions to {part.head}{more}")


def _listed(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - FEW} more" if listed[FEW:] else ""
    return f"{', '.join(listed[:FEW])}{more}"
