"""The operations `start` and `stop`: keep the local servers running between runs, or stop them."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.catalog import Database, EngineName
from schemas.target import LOCAL
from tasks import place
from tasks.work import Outcome, Work

__all__ = ["start", "stop"]


def start(work: Work) -> Outcome:
    """Start each engine that the selected databases need and keep it; print the URL of each database on stdout.

    The URL holds the password: it is printed because it was asked for, and nowhere else.
    """
    ours = False
    for name in _engines(work):
        server = work.session.engine(name).start(work.progress.now)
        ours = ours or server.embedded
        for database in _databases(work):
            if database.engine == name:
                work.out(f"{database.label}\t{server.url(database.names[LOCAL], application='')}")
    return Outcome(summary="running until `doit stop`" if ours else "your own server answers")


def stop(work: Work) -> Outcome:
    """Stop each embedded server that runs; one that another run still uses stops when that run ends."""
    engines = {name: work.session.engine(name) for name in _engines(work)}
    told = [name for name, engine in engines.items() if engine.stop(work.progress.now)]
    said = [f"{name} {'stops when the other run ends' if engines[name].running() else 'stopped'}" for name in told]
    return Outcome(summary=", ".join(said) or "nothing was running")


def _databases(work: Work) -> Sequence[Database]:
    owned = [place.owned(work.catalog, target) for target in work.targets]
    return tuple({database.label: database for database in owned}.values())


def _engines(work: Work) -> Sequence[EngineName]:
    return tuple(dict.fromkeys(database.engine for database in _databases(work)))
