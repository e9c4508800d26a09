"""What Jobs printed, kept on this machine before the next sync deletes them: for people, and an input of nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from schemas.target import Target
from tasks.verify.evidence import job
from tasks.verify.facts import Facts
from tasks.work import Work
from tools import whole
from tools.shell import redact

__all__ = ["keep", "told"]

LAST = 20  # Jobs that are kept of a service in an environment
SAFE = re.compile(r"[^A-Za-z0-9.-]")


def keep(work: Work, target: Target, facts: Facts) -> None:
    """Keep each Job that could be read: uid, pods, their start and image, and their logs, with SQL's literals masked.

    One that was over when it was kept is kept as it was then: nobody sees more of it later. That it cannot be kept
    stops nothing, and is said.
    """
    folder = _folder(work, target)
    for name in facts.jobs:
        seen, printed = facts.jobs[name].value, facts.logs[name].value
        if seen is None or not printed:
            continue
        over = seen.job.complete or bool(seen.job.failed)
        file = folder / SAFE.sub("_", f"{name}-{seen.job.created:%Y%m%dT%H%M%SZ}-{seen.job.uid}.json")
        if _read(file).get("over"):
            continue
        try:
            folder.mkdir(parents=True, exist_ok=True)
            whole.replace(file, redact(json.dumps({"over": over, **job(name, facts)}, indent=2, ensure_ascii=False)))
            _forget(folder)
        except OSError as error:
            work.progress.line(f"the log of Job {name} is not kept: {error.strerror}: {folder}")


def told(work: Work, target: Target, name: str) -> Iterator[str]:
    """What is kept of the newest Job of a name: a line, and its pods with what they printed; nothing where none is."""
    files = sorted(_folder(work, target).glob(f"{SAFE.sub('_', name)}-2*.json"), reverse=True)
    found = next(filter(None, map(_read, files)), None)
    if found is None:
        return
    yield f"kept on this machine, of Job {found.get('uid')}, made {found.get('created')}:"
    for pod in found["pods"]:
        yield f"  pod {pod.get('pod')}, {pod.get('phase')}, made {pod.get('created')}, ran {', '.join(pod['images'])}"
        yield from (f"    {line}" for line in (pod.get("log") or "").splitlines())


def _folder(work: Work, target: Target) -> Path:
    return work.catalog.root / ".state" / "logs" / f"{target.service}@{target.environment}"


def _read(file: Path) -> Mapping[str, Any]:
    """What is kept in a file; nothing where it is none of ours."""
    with suppress(OSError, ValueError, RecursionError, TypeError, KeyError, AttributeError):
        found: dict[str, Any] = json.loads(file.read_bytes())
        if all(isinstance(text, str) for pod in found["pods"] for text in (*pod["images"], pod.get("log") or "")):
            return found
    return {}


def _forget(folder: Path) -> None:
    """Let go of the oldest."""
    for file in sorted(folder.glob("*.json"), key=lambda one: one.stat().st_mtime)[:-LAST]:
        file.unlink(missing_ok=True)
