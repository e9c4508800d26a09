"""What a release would change in an environment, and what is next: decided from facts alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas.catalog import Environment
from schemas.errors import GanderError
from tasks.promote.image import Image, Streams

__all__ = ["NOTHING", "Facts", "Prospect", "foresee"]

NOTHING, CHANGES, OPEN = 0, 4, 1  # exit codes; what cannot be told wins


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What git, the registry and the values file say of one service in one environment."""

    service: str
    environment: Environment
    image: Image | GanderError | None  # of the commit; None: the service has no migrations of its own
    said: str | GanderError  # the image that the environment has; empty where it has none
    before: Streams | None = None  # the migrations in that image; None where nobody knows
    refusal: GanderError | None = None  # why the image may not go there


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What would happen."""

    service: str
    environment: str
    now: str = ""  # REPOSITORY:TAG@DIGEST, or whatever the values file says
    then: str = ""
    commit: str = ""
    runs: Mapping[str, Sequence[str]] | None = None  # database -> files that would run; None: nobody knows
    notes: Sequence[str] = ()  # what does not stop a release, and is to be known
    problems: Sequence[str] = ()  # what cannot be told, or is in the way
    todo: Sequence[str] = ()  # what is next, in order

    @property
    def code(self) -> int:
        """Exit code: nothing to do, changes, or cannot be told."""
        return OPEN if self.problems else NOTHING if self.now == self.then else CHANGES


def foresee(facts: Facts) -> Prospect:
    """What the commit's image would change there."""
    image, said, name = facts.image, facts.said, facts.environment.name
    if image is None:
        return Prospect(
            service=facts.service, environment=name, runs={}, notes=("no database of its own, so no image",)
        )
    errors = [error for error in (image, said, facts.refusal) if isinstance(error, GanderError)]
    problems = [f"{error.where}: {error.what}" if error.where else error.what for error in errors]
    todo = list(dict.fromkeys(line for error in errors for line in error.todo.splitlines()))
    now = "" if isinstance(said, GanderError) else said
    if isinstance(image, GanderError):
        return Prospect(service=facts.service, environment=name, now=now, problems=problems, todo=todo)
    then = image.reference if image.digest is None else image.whole
    before = {} if said == "" else facts.before
    runs, notes = (None, []) if before is None else _difference(image.streams, before)
    if now == then:
        runs, notes = {}, []
    elif before is None and not isinstance(said, GanderError):
        problems.append(f"which migrations {now} holds is not known: no commit of `doit promote` brought it there")
    return Prospect(
        service=facts.service,
        environment=name,
        now=now,
        then=then,
        commit=image.commit,
        runs=runs,
        notes=notes,
        problems=problems,
        todo=todo if problems or now == then else _road(facts.service, name, image),
    )


def _difference(then: Streams, before: Streams) -> tuple[dict[str, list[str]], list[str]]:
    """The files of each database that only the new image has, and those that differ or that it lacks."""
    runs: dict[str, list[str]] = {}
    notes: list[str] = []
    for key, files in then.items():
        held = before.get(key, {})
        runs[key] = [name for name in files if name not in held]
        edited = [name for name in files if name in held and held[name] != files[name]]
        notes += [f"{key}/{name} is changed: goose does not run it again" for name in edited]
        notes += [f"{key}/{name} is not in the new image: what it did stays" for name in held if name not in files]
    notes += [f"the new image has no migrations of {key}" for key in before if key not in then]
    return {key: names for key, names in runs.items() if names}, notes


def _road(service: str, environment: str, image: Image) -> list[str]:
    built = [] if image.digest else [f"doit image:{service}"]
    return [*built, f"doit promote:{service}@{environment}", "then a person syncs it in Argo CD"]
