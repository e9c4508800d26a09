"""What a killed run leaves behind: no processes, and half-done work that the next run finds, names and does again."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.faults import processes
from tests.faults.monorepo import ANT, Monorepo, clean
from tests.faults.processes import Process

NAME = "20260102000000_index_again"
INDEX = "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY {guard} ix_again ON things (id, code);\n"
PATIENCE = 30.0


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def sessions(monorepo: Monorepo, doing: str) -> list[Process]:
    return [one for one in processes.of(monorepo.root) if doing in one.doing]


def test_after_a_killed_doit_nothing_runs_on(ant: Monorepo) -> None:
    ant.add(ANT, NAME, "-- +goose Up\nSELECT pg_sleep(60);\n")
    run = ant.start("migrate")
    until(lambda: sessions(ant, "SELECT"))
    run.process.kill()
    run.end()
    began = time.monotonic()
    assert processes.gone(ant.root) == []
    assert time.monotonic() - began < processes.GOODBYE


def test_after_a_killed_doit_a_started_server_runs_on_until_stop(ant: Monorepo) -> None:
    ant.add(ANT, NAME, "-- +goose Up\nSELECT pg_sleep(60);\n")
    assert ant.doit("start").code == 0
    run = ant.start("migrate")
    until(lambda: sessions(ant, "SELECT"))
    run.process.kill()
    run.end()
    until(lambda: not {"goose", "backend"} & {one.kind for one in processes.of(ant.root)})
    time.sleep(1)
    assert {"keeper", "postmaster"} <= {one.kind for one in processes.of(ant.root)}
    assert ant.doit("stop").code == 0
    assert processes.gone(ant.root) == []


@pytest.mark.parametrize("guard", ["", "IF NOT EXISTS"])
@pytest.mark.parametrize("victim", ["doit", "goose", "backend"])
def test_an_unfinished_index_is_named_dropped_and_built_again(ant: Monorepo, guard: str, victim: str) -> None:
    ant.add(ANT, NAME, INDEX.format(guard=guard))
    with ant.server() as server, closing(ant.connect(server)) as other:
        other.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        other.execute("SELECT count(*) FROM things")  # a build waits for a snapshot that old
        run = ant.start("migrate")
        until(lambda: sessions(ant, "CREATE INDEX waiting"))
        kill(victim, run.process.pid, ant)
        run.end()
        until(lambda: not sessions(ant, "CREATE INDEX"))
    done = ant.doit("migrate")
    clean(done)
    assert done.code == 0, done.err
    assert f"{NAME}.sql was interrupted; its unfinished index ix_again" in done.err
    assert index(ant) == (True,)


@pytest.mark.parametrize("guard", ["", "IF NOT EXISTS"])
@pytest.mark.parametrize("victim", ["doit", "goose", "backend"])
def test_an_index_whose_file_was_not_recorded_is_named_dropped_and_built_again(
    ant: Monorepo, guard: str, victim: str
) -> None:
    ant.add(ANT, NAME, INDEX.format(guard=guard))
    with ant.server() as server, closing(ant.connect(server)) as other:
        other.execute("BEGIN")
        other.execute("LOCK TABLE goose_db_version IN SHARE MODE")  # goose can read its table, not write to it
        run = ant.start("migrate")
        until(lambda: sessions(ant, "PARSE waiting"))
        kill(victim, run.process.pid, ant)
        run.end()
        until(lambda: not sessions(ant, "PARSE"))
    done = ant.doit("migrate")
    clean(done)
    assert done.code == 0, done.err
    assert f"{NAME}.sql was interrupted; its unrecorded index ix_again" in done.err
    assert index(ant) == (True,)


def test_an_orphaned_session_of_goose_is_waited_for(ant: Monorepo) -> None:
    ant.add(ANT, NAME, "-- +goose Up\nSELECT pg_sleep(1);\nINSERT INTO ran VALUES (1);\n")
    with ant.server():
        first = ant.start("migrate")
        until(lambda: sessions(ant, "SELECT"))
        (orphan,) = sessions(ant, "SELECT")
        os.kill(orphan.number, signal.SIGSTOP)  # else it ends within a second of goose
        try:
            first.process.kill()
            first.end()
            second = ant.start("migrate")
            until(lambda: f"waiting for {ant.database(ANT)}: an earlier goose is still at work" in second.said())
        finally:
            os.kill(orphan.number, signal.SIGCONT)
        done = second.end()
        clean(done)
        assert (done.code, done.finished) == (0, {f"migrate:{ANT}"}), done.err
    with ant.server() as server, ant.connect(server) as own:
        assert own.execute("SELECT count(*) FROM ran WHERE version = 1").fetchone() == (1,)


def kill(victim: str, doit: int, monorepo: Monorepo) -> None:
    found = {one.kind: one.number for one in processes.of(monorepo.root)}
    os.kill(doit if victim == "doit" else found[victim], signal.SIGKILL)  # type: ignore[index]  # one of the kinds


def index(monorepo: Monorepo) -> tuple[bool, ...] | None:
    with monorepo.server() as server, monorepo.connect(server) as own:
        return own.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_again'::regclass").fetchone()
