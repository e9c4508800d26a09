"""What one look at an operation of ours comes to: go on, or an end. Decided from facts and a clock's reading alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from schemas.application import Application, State
from schemas.job import Pod
from tasks.verify.facts import Seen
from tasks.verify.judgement import stuck

__all__ = ["DEADLINE", "Look", "Memory", "Step", "jobs_of", "safe_to_end", "shown", "step"]

STUCK = 30.0  # seconds: a registry that hiccups is asked again by then
UNSCHEDULED = 120.0  # a node may first have to be started
PICKUP = 60.0  # until the controller takes a request up
SETTLE = 10.0  # an API server may tell for a while what was before
DEADLINE = 30 * 60.0
ENDED = frozenset(("Succeeded", "Failed", "Error"))
OVER = frozenset(("Succeeded", "Failed"))  # phases of a pod

What = Literal["on", "ended", "stuck", "overtaken", "not taken", "inconsistent", "deadline"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen at one moment; ``jobs`` is None where nobody could look behind the Application."""

    application: Application
    jobs: Mapping[str, Seen] | None = None
    refused: Mapping[str, str] | None = None  # Job -> why no pod of it is made


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What is remembered between looks; times are of one clock that only goes forward."""

    run: str
    begun: float
    taken: bool = False  # whether it was ever seen
    odd: str = ""  # what is not as it should be
    since: float = 0.0  # and since when


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What to do after a look, and what is to be said of it."""

    what: What
    says: str = ""


def step(memory: Memory, look: Look, at: float) -> tuple[Memory, Step]:
    """What comes next. An end is only what has stayed so for a while, but for the operation's own."""
    application = look.application
    pending, state = application.pending, application.state
    waits = pending is not None and pending.run == memory.run
    ours = state is not None and state.request.run == memory.run
    memory = replace(memory, taken=memory.taken or waits or ours)
    if state is not None and ours and pending is None and state.phase in ENDED and state.finished is not None:
        return memory, Step(what="ended", says=f"{state.phase}: {state.message}")
    if at - memory.begun > DEADLINE:
        return memory, Step(what="deadline", says=shown(look))
    odd = _odd(memory, look, waits=waits, ours=ours)
    if odd is None:
        return replace(memory, odd="", since=0.0), Step(what="on")
    what, says, patience = odd
    if memory.odd != what:
        memory = replace(memory, odd=what, since=at)
    return memory, Step(what=what if at - memory.since >= patience else "on", says=says)


def _odd(memory: Memory, look: Look, *, waits: bool, ours: bool) -> tuple[What, str, float] | None:
    """What is not as it should be, and for how long that may be so."""
    application = look.application
    if waits and not ours:
        return "not taken", "no controller has picked it up yet", PICKUP
    if waits:
        found = next(_stuck(look), None)
        return ("stuck", *found) if found else None
    if ours:
        return "inconsistent", "Argo CD says that it runs, and that nothing runs", PICKUP
    if memory.taken or application.pending is not None:
        other = application.pending or (application.state.request if application.state else None)
        return "overtaken", other.whose if other else "nobody", SETTLE
    return "not taken", "Argo CD has no such operation", PICKUP


def _stuck(look: Look) -> Iterator[tuple[str, float]]:
    """Why pods of this operation do not start, and how long that may take."""
    for pod in _pods(look):
        for says in stuck([pod]):
            yield says, UNSCHEDULED if pod.unscheduled else STUCK
    for name, seen in jobs_of(look).items():
        said = (look.refused or {}).get(name)
        if said and not seen.pods and not seen.job.active:
            yield f"{name}: {said}", STUCK


def safe_to_end(look: Look) -> bool:
    """Whether ending the operation kills no migration: every pod was seen, and no container of one runs.

    What does not start must never have begun: a pod that crashes and is started again has. What was to end well
    before it, and did, is over.
    """
    if look.jobs is None:
        return False
    for seen in look.jobs.values():
        if seen.job.active > sum(one.phase not in OVER for one in seen.pods):  # one of them is not listed yet
            return False
        for pod in seen.pods:
            every = (*pod.before, *pod.containers)
            if any(one.started is not None and one.exit_code is None for one in every):
                return False
            begun = [one for one in every if one.started is not None or one.restarts]
            if any(stuck([pod])) and any(one not in pod.before or one.exit_code != 0 for one in begun):
                return False
    return any(True for _ in _stuck(look))


def shown(look: Look) -> str:
    """One line for people: the operation's phase, what its pods do, and its message.

    A narrow terminal cuts it: what changes most, and is the shortest, stands first.
    """
    application, state = look.application, look.application.state
    if state is None or application.pending is None:
        said, message = ("requested" if application.pending else "no operation"), ""
    else:
        said, message = f"{state.phase}{f', try {state.retries + 1}' if state.retries else ''}", state.message
    return "; ".join(filter(None, [said, *(_pod(one) for one in _pods(look)), message]))


def _pod(pod: Pod) -> str:
    waiting = next((one.waiting for one in (*pod.before, *pod.containers) if one.waiting), "")
    return f"pod {waiting or pod.reason or pod.phase} ({pod.name})"


def _pods(look: Look) -> list[Pod]:
    return [pod for seen in jobs_of(look).values() for pod in seen.pods]


def jobs_of(look: Look) -> dict[str, Seen]:
    """The Jobs of the operation that runs: one that is older waits to be deleted."""
    state: State | None = look.application.state
    if state is None:
        return {}
    return {name: seen for name, seen in (look.jobs or {}).items() if seen.job.created >= state.started}
