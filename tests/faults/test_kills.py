"""Whoever is killed at whatever moment of a `doit migrate`, the next one finishes what was begun, once."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from contextlib import ExitStack

import pytest

from tests.faults.conftest import SEED, Tell
from tests.faults.monorepo import SERVICES, Monorepo, clean
from tests.faults.processes import Process
from tests.faults.strike import Moment, strike

HITS = 8  # kills of each victim that must hit a running step
ROUNDS = 3 * HITS  # at most, to get them
VICTIMS = ("doit", "goose", "backend", "postmaster", "keeper")

MOMENTS: dict[str, Moment] = {
    "goose begins": lambda seen, _: any(one.kind == "goose" for one in seen),
    "rows are inserted": lambda seen, _: _doing(seen, "INSERT"),
    "rows are updated": lambda seen, _: _doing(seen, "UPDATE"),
    "a statement waits": lambda seen, _: _doing(seen, "SELECT"),
    "an index is built": lambda seen, _: _doing(seen, "CREATE INDEX"),
    "a target is finished": lambda _, said: "✓ migrate:" in said,
}
JITTER = 0.12  # seconds


@pytest.mark.parametrize("victim", VICTIMS)
def test_after_a_kill_the_next_run_finishes(victim: str, shared: Monorepo, seed: int, tell: Tell) -> None:
    chance = random.Random(f"{seed} {victim}")  # noqa: S311 - repeatable moments, no secret
    began, hits, rounds, doing = time.monotonic(), 0, 0, Counter[str]()
    shared.doit("migrate")
    while hits < HITS and rounds < ROUNDS:
        rounds += 1
        worked_on = _round(victim, shared, chance)
        hits += bool(worked_on)
        doing.update(worked_on)
    took = time.monotonic() - began
    seen = ", ".join(f"{count} x {what}" for what, count in doing.most_common())
    tell(f"kill -9 of {victim}: {hits} of {rounds} hit a running step in {took:.0f} s, during {seen} ({SEED}={seed})")
    assert hits >= HITS


def test_the_kills_that_hit_are_at_least_forty() -> None:
    assert HITS * len(VICTIMS) >= 40


def _round(victim: str, monorepo: Monorepo, chance: random.Random) -> set[str]:
    """Drop some databases, kill the victim while they are rebuilt, run again; what was hit, nothing for a miss."""
    dropped = tuple(chance.sample(SERVICES, 2))
    moment, pause, rest = chance.choice(list(MOMENTS)), chance.uniform(0, JITTER), chance.choice((0, 0, 0.3, 1.0))
    story = f"{victim} while {dropped} are rebuilt, {pause:.3f} s after: {moment}"
    with ExitStack() as use:
        use.enter_context(monorepo.server())
        monorepo.drop(dropped)
        if chance.random() < 0.5:  # in half of the rounds nobody else uses the server
            use.close()
        run = monorepo.start("migrate")
        hit = strike(victim, run, monorepo, moment=MOMENTS[moment], pause=pause, chance=chance)
        first = run.end()
    clean(first)
    assert first.code in ({-signal.SIGKILL} if victim == "doit" and hit else {0, 1}), f"{story}\n{first.err}"
    assert first.code != 1 or "→" in first.err, f"{story}\n{first.err}"
    time.sleep(rest)
    second = monorepo.doit("migrate")
    both = f"{story}\nfirst:\n{first.err}\nsecond:\n{second.err}"
    clean(second)
    assert second.code == 0, both
    assert not (first.finished | _untouched(dropped)) & second.finished, both
    assert monorepo.doit("status").code == 0, both
    monorepo.whole()
    return hit


def _doing(seen: list[Process], what: str) -> bool:
    return any(one.doing.startswith(what) for one in seen)


def _untouched(dropped: tuple[str, ...]) -> set[str]:
    return {f"migrate:{label}" for label in SERVICES if label not in dropped}
