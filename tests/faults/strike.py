"""A kill at a chosen moment of a run, and whether it hit a step that was running."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable

from tests.faults import processes
from tests.faults.monorepo import Monorepo, Run
from tests.faults.processes import Process

__all__ = ["Moment", "strike"]

# when to strike, told from a run's processes and what it said; a random pause follows
Moment = Callable[[list[Process], str], bool]


def strike(
    victim: str, run: Run, monorepo: Monorepo, *, moment: Moment, pause: float, chance: random.Random
) -> set[str]:
    """Kill the victim a pause after the moment; what goose's sessions did then, nothing if no step was running."""
    while run.running and not moment(processes.of(monorepo.root), run.said()):
        time.sleep(0.005)
    time.sleep(pause)
    while run.running and not any(one.kind == "goose" for one in processes.of(monorepo.root)):
        time.sleep(0.005)
    seen = processes.of(monorepo.root)
    if not run.running or not any(one.kind == "goose" for one in seen):
        return set()
    numbers = [run.process.pid] if victim == "doit" else [one.number for one in seen if one.kind == victim]
    if not numbers:
        return set()
    try:
        os.kill(chance.choice(numbers), signal.SIGKILL)
    except ProcessLookupError:
        return set()
    return {one.doing for one in seen if one.kind == "backend"} or {"goose between sessions"}
