"""Is a release verified? Decided from facts alone: what is true, what is safe to do, and what to type."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from schemas.application import Application, State
from schemas.catalog import FACTS
from schemas.job import Pod
from tasks.verify.advice import ADVICE, Outcome
from tasks.verify.facts import Expected, Facts, Look
from tasks.verify.findings import Finding, find, row
from tasks.verify.required import left_out

__all__ = ["Verdict", "judge", "stuck"]

TERMINATED = "Operation terminated"
REFUSED = "SyncFailed"  # status of a row whose object the cluster did not take; a hook that was made has none
AGAIN = ("run it again", "then run it again")  # what every advice says, with the command
LISTED = 5  # resources that a note names
# Of several facts that do not hold, the one that explains the others is told: in this order.
ORDER = (
    *("wrong-revision", "other-image", "stale-job", "wrong-image", "job-failed", "log-error", "log-other", "job-open"),
    *("database-behind", "database-strange", "unfinished", "revision", "job-gone", "pods-gone", "log-gone", "database"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a release comes to. ``kind`` is also the heading of docs/runbook.md that explains it."""

    kind: str
    outcome: Outcome
    what: str
    true: str
    safe: str
    todo: tuple[str, ...]
    findings: tuple[Finding, ...]
    left_out: tuple[Finding, ...] = ()  # what nobody could see, where that is all that `verified` lacks
    notes: tuple[str, ...] = ()

    @property
    def verified(self) -> bool:
        """Whether all five facts hold, for each database; nothing else makes a release verified."""
        return self.outcome == "verified" and _whole(self.findings)

    @property
    def enough(self) -> bool:
        """Whether it is verified, or lacks no more than its environment leaves out; never what another one goes by."""
        return self.verified or (self.outcome == "verified without" and _whole(self.findings, self.left_out))


def judge(facts: Facts, expected: Expected, require: Collection[str] = FACTS) -> Verdict:
    """The verdict on a release, from what was seen of it.

    ``require`` names the facts that are insisted on; one that it leaves out is forgiven where nobody could see it.
    """
    findings = find(facts, expected)
    forgiven = left_out(facts, findings, require)
    kind, said = next(_kinds(facts, expected, findings, forgiven))
    without = forgiven if kind == "verified-without" else ()
    if kind in {"verified", "verified-without"} and not _whole(findings, without):
        raise AssertionError("a release is verified by all of its facts")
    advice = ADVICE[kind]
    state = facts.application.value.state if facts.application.value else None
    words = {
        "service": expected.service,
        "environment": expected.environment,
        "application": expected.application,
        "target": expected.target,
        "said": said,
        "lacking": _lacking(findings),
        "by": state.request.whose if state else "somebody",
    }
    return Verdict(
        kind=kind,
        outcome=advice.outcome,
        what=advice.what.format(**words),
        true=advice.true.format(**words),
        safe=advice.safe.format(**words),
        todo=(*_first(kind, facts), *(line.format(**words) for line in advice.todo)),
        findings=findings,
        left_out=without,
        notes=tuple(_notes(facts, expected)),
    )


def _first(kind: str, facts: Facts) -> Iterator[str]:
    """What has to be done before anybody looks again: what those that gave no answer say of it."""
    said = [facts.application.todo] if kind == "argocd" else []
    said += [look.todo for look in facts.databases.values()] if kind in {"database", "verified-without"} else []
    lines = dict.fromkeys(line for todo in said for line in todo.splitlines())
    yield from (line for line in lines if not line.startswith(AGAIN))


def _whole(findings: tuple[Finding, ...], without: tuple[Finding, ...] = ()) -> bool:
    holds = all(one.kind == "holds" or (one.kind == "unknown" and one in without) for one in findings)
    return holds and {one.fact for one in findings} == set(FACTS)


def _kinds(
    facts: Facts, expected: Expected, findings: tuple[Finding, ...], forgiven: tuple[Finding, ...]
) -> Iterator[tuple[str, str]]:
    """The kind of verdict, and the words of the world that go with it; the first counts."""
    application = facts.application.value
    if application is None:
        yield "argocd", facts.application.why
        return
    if _whole(findings):
        yield "verified", ""
    if application.pending is not None:
        yield _going(facts, application)
    state = application.state
    if state is None:
        yield "never-synced", "automated sync is on" if application.automated else ""
        return
    if state.phase in {"Running", "Terminating"} or state.finished is None:
        yield "inconsistent", f"{state.phase}, with no operation running"
    if not state.request.run:
        yield ("automated" if state.request.automated else "foreign"), state.request.whose
    if state.phase != "Succeeded":
        yield from _failed(facts, expected, state, findings)
    if _whole(findings, forgiven):
        yield "verified-without", _lacking(forgiven)
    yield _doubted(tuple(one for one in findings if one not in forgiven))


def _going(facts: Facts, application: Application) -> tuple[str, str]:
    """An operation that is requested or runs."""
    pending, state = application.pending, application.state
    if pending is None or not pending.run:
        return "other-operation", pending.whose if pending else ""
    if state is None:
        return "not-taken", ""
    for says in stuck(_pods(facts)):
        return "pod-never-starts", says
    if state.finished is not None:
        return "retrying", f"after {state.retries} tries: {state.message}"
    return "running", state.message or state.phase


def _failed(facts: Facts, expected: Expected, state: State, findings: tuple[Finding, ...]) -> Iterator[tuple[str, str]]:
    """An operation of ours that ended badly."""
    if state.message == TERMINATED:
        yield "terminated", state.message
    rows = [row(state, expected, part.job) for part in expected.parts]
    # a retry begins with no rows (controller/appcontroller.go), so what an earlier try did is not among them
    if not state.retries and all(one is None or one.status == REFUSED for one in rows):
        yield "failed-before-hook", "\n".join([state.message, *(f"{one.name}: {one.message}" for one in rows if one)])
    bad = [one for one in rows if one is None or one.phase != "Succeeded"]
    if bad:
        for pod in _pods(facts):
            if pod.reason == "Evicted" or pod.disrupted:
                yield "evicted", f"{pod.name}: {pod.disrupted or pod.reason}"
        for says in stuck(_pods(facts)):
            yield "pod-never-starts", says
        yield "hook-failed", "\n".join(_of_jobs(state, expected, findings))
    proved = all(one.kind == "holds" for one in findings if one.fact != "operation")
    yield f"failed-elsewhere{'' if proved else '-unproved'}", "; ".join([state.message, *_unwell(state)])


def _of_jobs(state: State, expected: Expected, findings: tuple[Finding, ...]) -> Iterator[str]:
    """What Jobs that did not succeed say; where there are several, whose words they are, and what the others did."""
    several = len(expected.parts) > 1
    if all(row(state, expected, part.job) is None for part in expected.parts):
        yield state.message
    for part in expected.parts:
        one, whose = row(state, expected, part.job), f"{part.job}: " if several else ""
        if one is None or one.phase == "Succeeded":
            continue
        yield f"{whose}{one.message or state.message}"
        yield from (f"{whose}{told.says}" for told in findings if (told.code, told.about) == ("log-error", part.job))
    for part in expected.parts:
        its = [one for one in findings if one.about in {part.job, part.label}]
        if row(state, expected, part.job) is None:
            yield f"{part.job}: it did not run{' in the last try' if state.retries else ''}"
        elif all(one.kind == "holds" for one in its):
            yield f"{part.label} is done: {its[-1].says}"


def _doubted(findings: tuple[Finding, ...]) -> tuple[str, str]:
    """A success that some fact does not bear out."""
    codes = {one.code: one.says for one in findings if one.kind != "holds"}
    if "inconsistent" in codes:
        return "inconsistent", codes["inconsistent"]
    for code in ("partial", "hook-missing"):
        if code in codes:
            return "hook-missing", codes[code]
    if "hook-failed" in codes:
        return "inconsistent", f"Succeeded, and its hook {codes['hook-failed']}"
    for code in ORDER:
        if code in codes:
            return code, codes[code]
    return "not-proved", ""


def _lacking(findings: tuple[Finding, ...]) -> str:
    return "; ".join(f"{one.fact} of {one.about}: {one.says}" for one in findings if one.kind != "holds")


def stuck(pods: Iterable[Pod]) -> Iterator[str]:
    """The pods that will not start by themselves, and why."""
    for pod in pods:
        if pod.unscheduled:
            yield f"{pod.name}: {pod.unscheduled}"
        for one in (*pod.before, *pod.containers):
            if one.stuck:
                yield f"{pod.name}: {one.waiting}{f': {one.said}' if one.said else ''}"


def _pods(facts: Facts) -> Iterator[Pod]:
    for look in facts.jobs.values():
        if look.value is not None:
            yield from look.value.pods


def _unwell(state: State) -> Iterator[str]:
    for one in state.rows:
        if one.status == "SyncFailed" or (one.hook and one.phase in {"Failed", "Error"}):
            yield f"{one.kind} {one.name}: {one.message}"


def _notes(facts: Facts, expected: Expected) -> Iterator[str]:
    """What is to be known beside the verdict, and changes nothing of it."""
    application = facts.application.value
    if application is not None and application.automated:
        yield "automated sync is on: Argo CD will run migrations without a release; switch it off"
    if application is not None and application.state is not None and application.pending is None:
        yield from _about(application, application.state)
    for part in expected.parts:
        seen, held = facts.jobs.get(part.job, Look()).value, facts.databases.get(part.label, Look()).value
        tries = max(len(seen.pods), seen.job.failures + (not seen.job.failed)) if seen else 0
        if tries > 1:
            yield f"{part.job} was tried {tries} times"
        for line in held.remarks if held else ():
            yield f"{part.label}: {line}"


def _about(application: Application, state: State) -> Iterator[str]:
    """What is to be known of the application itself."""
    known = state.finished is not None and application.reconciled is not None
    if not known or application.reconciled < state.finished:  # type: ignore[operator]  # both are known
        return
    told = application.sync if application.sync == "OutOfSync" else application.health
    names = []
    for one in application.unwell:
        its = one.health if one.status in {"", "Synced"} else one.status
        names.append(" ".join([one.kind, one.name, *([its] if its != told else [])]))
    more = f" and {len(names) - LISTED} more" if names[LISTED:] else ""
    listed = f": {', '.join(names[:LISTED])}{more}" if names else ""
    if application.sync == "OutOfSync":
        moved = application.compared != state.revisions
        yield f"the application is out of sync{', and its branch has moved on' if moved else ''}{listed}"
    elif application.health not in {"", "Healthy"}:
        yield f"the application is {application.health}{listed}"
    yield from application.conditions
