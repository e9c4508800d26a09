"""Which jobs a command line makes, and in which order: one job becomes one doit task.

A named tuple starts faster than a dataclass: see schemas/catalog.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from pipelines.contents import Contents, Operation, Step, Verb
from pipelines.words import Request, places
from schemas.catalog import Catalog, Reference
from schemas.target import Target

__all__ = ["Job", "jobs"]


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
    return tuple(job if job.name in named else job._replace(named=False) for job in made.values())


def _asked(request: Request, contents: Contents, catalog: Callable[[], Catalog]) -> Iterator[Job]:
    verb = request.verb
    if isinstance(verb, Operation) and verb.over == "nothing":
        yield Job(name=verb.name, verb=verb, targets=())
        return
    found = places(request, catalog(), contents)
    if isinstance(verb, Operation) and verb.over == "all":
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


def _needs(job: Job, contents: Contents, catalog: Catalog) -> Iterator[Job]:
    verb, (target,) = job.verb, job.targets
    if not isinstance(verb, Step):
        return
    for name in verb.after:
        if name in contents.verbs:  # a step that is not there yet orders nothing
            before = target._replace(step=name)
            yield Job(name=before.name, verb=contents.verbs[name], targets=(before,))
    entry = catalog.entry(target.service or "", target.database or "")
    if verb.owner_first and isinstance(entry, Reference):
        owner = catalog.owner(entry)
        first = target._replace(service=owner.service, database=owner.key)
        yield Job(name=first.name, verb=verb, targets=(first,))
