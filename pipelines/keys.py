"""What can change a target's outcome: the named parts of its key, and which of them differ from the last success."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path

from pipelines.contents import Step, function
from pipelines.graph import Job
from schemas.catalog import Catalog

__all__ = ["changed", "key", "parts"]


def parts(
    job: Job,
    catalog: Catalog,
    digest: Callable[[Path], str],
    keys: Callable[[str], str],
    only_looks: Callable[[str], bool],
) -> dict[str, str] | None:
    """The parts of a step's key: its own, its entry of services.yaml, and the keys of the jobs that it builds on.

    ``keys`` gives another job's key by name, ``only_looks`` whether that job makes nothing. None for a verb that has
    no key.
    """
    if not isinstance(job.verb, Step) or not job.verb.parts:
        return None
    (target,) = job.targets
    own: Mapping[str, str] = function(job.verb.parts)(catalog, target, digest)
    service = target.service or ""
    entry = catalog.entry(service, target.database) if target.database else catalog.services.get(service)
    built_on = {f"built on {need}": keys(need) for need in job.needs if not only_looks(need)}
    return {**own, "services.yaml": sha256(repr(entry).encode()).hexdigest(), **built_on}


def key(named: Mapping[str, str]) -> str:
    """One digest over all parts."""
    return sha256(json.dumps(dict(named), sort_keys=True).encode()).hexdigest()


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the parts that differ, in the order of ``now``; parts that are gone come last."""
    gone = [name for name in before if name not in now]
    return (*(name for name in now if before.get(name) != now[name]), *gone)
