"""A run that is told to stop while goose works ends at once, leaves nothing running, and is taken up by the next."""

from __future__ import annotations

import signal
import time

import pytest

from tests.faults import processes
from tests.faults.monorepo import ANT, Monorepo, clean

SLOW = "-- +goose Up\nSELECT pg_sleep({seconds});\n-- +goose Down\nSELECT 1;\n"
SLOW_FILE = "20260102000000_wait"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
@pytest.mark.parametrize("times", [1, 3])
def test_told_to_stop_while_goose_runs(ant: Monorepo, number: signal.Signals, times: int) -> None:
    ant.add(ANT, SLOW_FILE, SLOW.format(seconds=60))
    run = ant.start("migrate")
    while run.running and not any("SELECT" in one.doing for one in processes.of(ant.root)):
        time.sleep(0.01)
    for _ in range(times):
        run.process.send_signal(number)
        time.sleep(0.05)
    done = run.end(20)
    clean(done)
    # a shell shows 128 + n for both: a signal that comes while Python takes itself apart has its default effect
    assert done.code == 128 + number or (times > 1 and done.code == -number), (done.code, done.err)
    assert f"stopped by signal {number:d}" in done.err
    assert processes.gone(ant.root) == []
    ant.add(ANT, SLOW_FILE, SLOW.format(seconds=0))
    done = ant.doit("migrate")
    assert (done.code, done.finished) == (0, {f"migrate:{ANT}"}), done.err
