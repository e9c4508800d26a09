"""Steps and operations that do what ``control/SERVICE.DATABASE`` says, and write down that they ran."""

from __future__ import annotations

import errno
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from schemas.answer import Answer
from schemas.catalog import Catalog, Reference
from schemas.errors import Refused, ServerError
from schemas.target import Target
from tasks.work import Outcome, Work
from tools import shell

_running = 0
_lock = threading.Lock()


def build(work: Work) -> Outcome:
    """Do what the control file says."""
    _note(work, work.target.name)
    _obey(work)
    return Outcome(summary="built", values={"files": 1})


def build_parts(catalog: Catalog, target: Target, digest: Callable[[Path], str]) -> Mapping[str, str]:
    """The sources of a database, and a version."""
    return {"sources": digest(catalog.root / "sources" / _place(target)), "step": os.environ.get("STEP_VERSION", "1")}


def lift(work: Work) -> Outcome:
    """Put the world where the sources are; a reference changes nothing."""
    _note(work, work.target.name)
    _obey(work)
    if not isinstance(work.catalog.entry(work.target.service or "", work.target.database or ""), Reference):
        _world(work).parent.mkdir(exist_ok=True)
        _world(work).write_text(_wanted(work))
    return Outcome(summary="lifted")


def lifted(works: Sequence[Work]) -> dict[str, Answer]:
    """Whether the world is where the sources are."""
    control = works[0].catalog.root / "control"
    if (control / "world-is-away").exists():
        raise ServerError("the world is away")
    with (control / "asked").open("a") as log:
        log.write(f"{len(works)}\n")
    return {work.target.name: _lifted(work) for work in works}


def _lifted(work: Work) -> Answer:
    if _world(work).exists() and _world(work).read_text() == _wanted(work):
        return Answer(up_to_date=True, because="the world is there", since="2026-01-02T03:04:05+00:00")
    return Answer(up_to_date=False, because="the world is elsewhere")


def look(work: Work) -> Outcome:
    """Write what is looked at; exit code 1 when the control file says so."""
    _note(work, "look")
    work.progress.now("looking")
    if (work.catalog.root / "control" / "slow").exists():
        time.sleep(0.4)
    names = [target.place for target in work.targets]
    work.out(json.dumps(names) if work.variables.get("format") == "json" else "\n".join(names))
    disorder = (work.catalog.root / "control" / "disorder").exists()
    return Outcome(summary="looked", exit_code=int(disorder))


def wipe(work: Work) -> Outcome:
    """Ask, then wipe."""
    reply = work.progress.ask("really? ")
    if reply != "yes":
        raise Refused(f"{work.target.place} is not wiped", todo="type yes")
    _note(work, work.target.name)
    return Outcome(summary=f"wiped to {work.variables.get('to', 'nothing')}")


def selftest(work: Work) -> Outcome:
    """Say how many services there are."""
    return Outcome(summary=f"{len(work.catalog.services)} services")


def _obey(work: Work) -> None:
    global _running  # noqa: PLW0603 - counts what runs at once
    control = work.catalog.root / "control" / _place(work.target).replace("/", ".")
    order = control.read_text().strip() if control.exists() else ""
    work.progress.now("at work")
    with _lock:
        _running += 1
        _note(work, f"{_running} at once")
    try:
        if order == "fail":
            raise ServerError("it would not", where="file.sql:3", why="secret s3cr3t", todo="try again")
        if order == "bug":
            raise ZeroDivisionError("s3cr3t")
        if order == "full":
            raise OSError(errno.ENOSPC, "No space left on device", "/data/file")
        if order.startswith("sleep"):
            time.sleep(float(order.split()[1]))
        if order == "program":
            code = f"import os, time; open({str(control) + '.pid'!r}, 'w').write(str(os.getpid())); time.sleep(60)"
            shell.run([sys.executable, "-c", code], environment=shell.inherited(), timeout=60.0)
        if order == "files":
            for number in range(1, 4):
                work.progress.file(f"0{number}_a.sql", 0.1, number, 3)
                time.sleep(0.3)
    finally:
        with _lock:
            _running -= 1


def _note(work: Work, text: str) -> None:
    shell.hide("s3cr3t")
    with (work.catalog.root / "control" / "log").open("a") as log:
        log.write(f"{text}\n")


def _place(target: Target) -> str:
    return f"{target.service}/{target.database}"


def _world(work: Work) -> Path:
    found = work.catalog.entry(work.target.service or "", work.target.database or "")
    place = found.owner if isinstance(found, Reference) else found.label
    return work.catalog.root / "world" / place.replace("/", ".")


def _wanted(work: Work) -> str:
    place = _world(work).name.replace(".", "/")
    return " ".join(sorted(file.read_text() for file in (work.catalog.root / "sources" / place).glob("*")))
