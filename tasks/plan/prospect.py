"""What a release would change in an environment, and who is next: decided from facts alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from schemas.catalog import Environment
from schemas.errors import GanderError
from tasks.lint.finding import Finding
from tasks.plan.held import Asked, Files, Told, tell
from tasks.promote.history import NOBODY
from tasks.promote.image import Image, Streams, plain, short

__all__ = ["CHANGES", "NOTHING", "OPEN", "Facts", "Findings", "Prospect", "foresee", "linted", "reading"]

NOTHING, CHANGES, OPEN = 0, 4, 1  # exit codes; what cannot be told wins
YOU, MERGES, SYNCS = "you", "whoever merges", "whoever syncs in Argo CD"
BY_HAND = "a person syncs it in Argo CD"

Findings = Mapping[str, Mapping[str, Sequence[Finding]]]
"""What lint finds, by database and name of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What git, the registry, the values file and the databases say of one service in one environment."""

    service: str
    environment: Environment
    image: Image | GanderError | None  # of the commit; None: the service has no migrations of its own
    said: str | GanderError  # the image that the environment has; empty where it has none
    before: Streams | None = None  # the migrations in that image; None where nobody knows
    unknown: str = NOBODY  # why nobody does
    refusal: GanderError | None = None  # why the image may not go there
    qualified: str = ""  # that the environment before has verified it
    asked: Mapping[str, Asked] = field(default_factory=dict)  # the databases of the image
    left_out: Sequence[str] = ()  # migrations of the work tree that the commit does not have
    waiting: str = ""  # the branch that promotes this image and waits for its merge


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What would happen."""

    service: str
    environment: str
    now: str = ""  # REPOSITORY:TAG@DIGEST, or whatever the values file says
    then: str = ""
    commit: str = ""
    runs: Mapping[str, Sequence[str]] | None = None  # database -> files that would run; None: nobody knows
    held: Mapping[str, Sequence[int]] = field(default_factory=dict)  # database that was asked -> versions it holds
    findings: Findings = field(default_factory=dict)  # in what would run
    notes: Sequence[str] = ()  # what does not stop a release, and is to be known
    problems: Sequence[str] = ()  # what cannot be told, or is in the way
    who: str = ""  # is next to act
    todo: Sequence[str] = ()  # what is next, in order

    @property
    def code(self) -> int:
        """Exit code: nothing to do, changes, or cannot be told."""
        return OPEN if self.problems else CHANGES if self.now != self.then or self.runs else NOTHING


def foresee(facts: Facts) -> Prospect:
    """What the commit's image would change there."""
    image, said, name = facts.image, facts.said, facts.environment.name
    if image is None:
        return Prospect(
            service=facts.service, environment=name, runs={}, notes=("no database of its own, so no image",)
        )
    errors = [error for error in (image, said, facts.refusal) if isinstance(error, GanderError)]
    problems = [f"{error.where}: {error.what}" if error.where else error.what for error in errors]
    todo = [line for error in errors for line in error.todo.splitlines()]
    now = "" if isinstance(said, GanderError) else said
    if isinstance(image, GanderError):
        todo = list(dict.fromkeys(todo))
        return Prospect(
            service=facts.service, environment=name, now=now, problems=problems, who=YOU if todo else "", todo=todo
        )
    then = image.reference if image.digest is None else image.whole
    before = image.streams if now == then else {} if said == "" else facts.before
    told = {
        key: tell(
            Files(key=key, then=files, before=None if before is None else before.get(key, {}), now=short(now)),
            facts.asked.get(key),
        )
        for key, files in image.streams.items()
    }
    problems += [line for one in told.values() for line in one.problems]
    todo += [line for one in told.values() for line in one.todo]
    notes = [facts.qualified] if facts.qualified else []
    notes += [line for one in told.values() for line in one.notes]
    notes += [f"the new image has no migrations of {key}" for key in before or () if key not in image.streams]
    notes += [f"not in it, as {image.commit[:12]} does not have it: {path}" for path in facts.left_out]
    if before is None and not isinstance(said, GanderError):
        unknown = f"which migrations {plain(now)} holds is not known: {facts.unknown}"
        (problems if _runs(told) is None else notes).append(unknown)
    runs = _runs(told)
    who, road = _road(facts, image, now, runs) if not problems else (YOU if todo else "", todo)
    return Prospect(
        service=facts.service,
        environment=name,
        now=now,
        then=then,
        commit=image.commit,
        runs=runs,
        held={key: one.held for key, one in told.items() if one.held is not None},
        notes=notes,
        problems=problems,
        who=who,
        todo=list(dict.fromkeys(road)),
    )


def linted(prospect: Prospect, findings: Findings) -> Prospect:
    """With what lint finds in the files that would run; an error of one is in the way of an image that is not built."""
    wrong = [
        f"{key}/{name}"
        for key, files in findings.items()
        for name, listed in files.items()
        if any(one.severity == "error" for one in listed)
    ]
    if not wrong or "@" in prospect.then:
        return replace(prospect, findings=findings)
    return replace(
        prospect,
        findings=findings,
        problems=[*prospect.problems, f"no image is made of it: lint finds an error in {', '.join(wrong)}"],
        who=YOU,
        todo=[f"correct it and commit, then doit image:{prospect.service}"],
    )


def reading(prospect: Prospect, refused: Sequence[GanderError]) -> Prospect:
    """With why it may not go out yet beside databases that the service only reads; their owners go first."""
    notes = [f"{one.what}: {', '.join(one.todo.splitlines()[:1])}" for one in refused]
    return replace(prospect, notes=[*prospect.notes, *notes])


def _runs(told: Mapping[str, Told]) -> dict[str, Sequence[str]] | None:
    """What would run, by database; None where that is not known of every one."""
    if any(one.runs is None for one in told.values()):
        return None
    return {key: one.runs for key, one in told.items() if one.runs}


def _road(facts: Facts, image: Image, now: str, runs: Mapping[str, Sequence[str]] | None) -> tuple[str, list[str]]:
    """Who is next, and what is missing on the way there, in order."""
    environment, there = facts.environment, now == image.whole
    if there and not runs:
        return "", []
    release = f"{facts.service}@{environment.name}"
    ours = [f"doit sync:{release}", f"doit verify:{release}"] if environment.argocd else []
    if there:
        return (YOU, ours) if ours else (SYNCS, [BY_HAND])
    sync = ours or [f"then {BY_HAND}"]
    gitops = environment.gitops
    if facts.waiting and gitops:
        return MERGES, [f"merge {facts.waiting} into {gitops.branch}", *sync]
    built = [] if image.digest else [f"doit image:{facts.service}"]
    merge = ["then a person merges its pull request"] if gitops and gitops.push == "pull-request" else []
    return YOU, [*built, f"doit promote:{release}", *merge, *sync]
