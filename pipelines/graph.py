"""Which jobs a command line makes, and in which order: one job becomes one doit task.

A named tuple starts faster than a dataclass: see schemas/catalog.py.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import NamedTuple

from pipelines.contents import Contents, Operation, Step, Verb
from pipelines.places import places
from pipelines.words import Request
from schemas.catalog import Catalog, Database, Reference
from schemas.target import Target

__all__ = ["Job", "jobs", "only"]


class Job(NamedTuple):
    """One call of a verb's function, and the jobs that go before it."""

    name: str
    verb: Verb
    targets: tuple[Target, ...]
    needs: tuple[str, ...] = ()
    named: bool = True  # False: only needed by one that the command line names


def jobs(
    requests: Iterable[Request], contents: Contents, catalog: Callable[[], Catalog], *, single: bool = False
) -> tuple[Job, ...]:
    """Make each job once, after those that it needs; with ``single`` only what was named.

    ``catalog`` is called only when a request names databases. Raises what `places` raises.
    """
    made: dict[str, Job] = {}
    named: set[str] = set()
    for request in requests:
        for job in _asked(request, contents, catalog):
            named.add(job.name)
            if isinstance(job.verb, Step) and not single:
                _add(job, contents, catalog(), made)
            else:
                before = made.get(job.name)
                targets = dict.fromkeys((*(before.targets if before else ()), *job.targets))
                made[job.name] = job._replace(targets=tuple(targets))
    ordered = _in_order({name: _after_others(job, made, catalog) for name, job in made.items()})
    return tuple(job if job.name in named else job._replace(named=False) for job in ordered)


def only(made: Iterable[Job], services: Container[str]) -> tuple[Job, ...]:
    """The steps' jobs that are about these services, with those that they need.

    Operations stay as they are, and so does what is about no service.
    """
    by_name = {job.name: job for job in made}
    kept: set[str] = set()

    def keep(job: Job) -> None:
        kept.add(job.name)
        for need in job.needs:
            if need not in kept:
                keep(by_name[need])

    for job in by_name.values():
        about = isinstance(job.verb, Operation) or any(
            target.service is None or target.service in services for target in job.targets
        )
        if job.named and about:
            keep(job)
    return tuple(job for job in by_name.values() if job.name in kept)


def _asked(request: Request, contents: Contents, catalog: Callable[[], Catalog]) -> Iterator[Job]:
    verb = request.verb
    if isinstance(verb, Operation) and verb.over == "nothing":
        named = request.target.service is not None
        yield Job(name=request.target.name, verb=verb, targets=(request.target,) if named else ())
        return
    found = places(request, catalog(), contents)
    if isinstance(verb, Operation) and verb.over in {"all", "releases"}:
        yield Job(name=verb.name, verb=verb, targets=found)
        return
    for target in found:
        yield Job(name=target.name, verb=verb, targets=(target,))


def _add(job: Job, contents: Contents, catalog: Catalog, made: dict[str, Job]) -> None:
    """Add a step's job after the jobs that it needs."""
    if job.name in made:
        return
    needs = tuple(_needs(job, contents, catalog))
    for need in needs:
        _add(need, contents, catalog, made)
    made[job.name] = job._replace(needs=tuple(need.name for need in needs))


def _after_others(job: Job, made: Mapping[str, Job], catalog: Callable[[], Catalog]) -> Job:
    """The job after those that it follows, of its release and of the owners of what it reads, where there are any."""
    if not isinstance(job.verb, Step) or not (job.verb.follows or job.verb.owners):
        return job
    (target,) = job.targets
    names = [target._replace(step=step).name for step in job.verb.follows]
    if job.verb.owners:
        services = dict.fromkeys(one.service for one in catalog().read_first(target.service or ""))
        names += [target._replace(step=step, service=one).name for one in services for step in job.verb.owners]
    return job._replace(needs=(*job.needs, *(name for name in names if name in made and name not in job.needs)))


def _in_order(made: Mapping[str, Job]) -> Iterator[Job]:
    """Each job after those that it needs, else as they were made."""
    done: set[str] = set()

    def put(name: str) -> Iterator[Job]:
        if name not in done:
            done.add(name)
            for need in made[name].needs:
                if need in made:
                    yield from put(need)
            yield made[name]

    for name in made:
        yield from put(name)


def _needs(job: Job, contents: Contents, catalog: Catalog) -> Iterator[Job]:
    """The jobs right before one. An environment that takes what another has verified has nothing built for it."""
    verb, (target,) = job.verb, job.targets
    if not isinstance(verb, Step):
        return
    service = target.service or ""
    entry = catalog.entry(service, target.database) if target.database else None
    taken_over = catalog.environments[target.environment].after is not None
    for name in verb.after:
        before = contents.verbs.get(name)  # a step that is not there yet orders nothing
        if isinstance(before, Step) and (before.over == "release" or not taken_over):
            for place in _same(target, entry, before, catalog):
                yield Job(name=place.name, verb=before, targets=(place,))
    if verb.owner_first and isinstance(entry, Reference):
        owner = catalog.owner(entry)
        first = target._replace(service=owner.service, database=owner.key)
        yield Job(name=first.name, verb=verb, targets=(first,))


def _same(target: Target, entry: Database | Reference | None, step: Step, catalog: Catalog) -> Iterator[Target]:
    """Where another step is about the same: the release or database itself, its service, or all databases of it."""
    if step.over == "release":
        yield target._replace(step=step.name)
        return
    if step.over == "service" or (step.over == "everything" and not entry):
        yield Target(step=step.name, service=target.service)
    if step.over == "service" or not target.service:
        return
    for one in [entry] if entry else catalog.services[target.service].databases:
        if step.has(one, catalog):
            yield Target(step=step.name, service=one.service, database=one.key)
