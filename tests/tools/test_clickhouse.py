"""The life of an embedded ClickHouse: shared, kept, left alone, and killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from schemas.errors import ServerError
from tests.tools.clickhouse import Hold, fixture_engine, fixture_hold, gone, leave, run, where
from tests.tools.conftest import facts, quiet, wait
from tools.clickhouse import Embedded
from tools.clickhouse.config import Ports, server_xml

__all__ = ["fixture_engine", "fixture_hold"]


def lives(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_the_server_starts_when_needed_and_is_gone_when_nobody_uses_it(engine: Embedded) -> None:
    assert not engine.running()
    assert engine.stop(quiet) is False
    with engine.serve(quiet) as server:
        assert engine.running()
        assert server.version.startswith("26.9.")
        assert server.embedded
        where = facts(engine.home.path)
        # whatever the environment of this process says
        assert server.address.query("SELECT timezone()") == [["UTC"]]
    assert gone(engine)
    assert not lives(where["pid"])
    assert not (engine.home.data / "status").exists()


def test_five_runs_at_once_start_one_server_and_the_last_one_lets_it_go(engine: Embedded, hold: Hold) -> None:
    runs = [hold(engine.home.path) for _ in range(5)]
    assert len({where(one) for one in runs}) == 1
    for one in runs[:4]:
        leave(one)
    time.sleep(1)
    assert engine.running()
    leave(runs[4])
    assert gone(engine)


def test_nothing_is_left_five_seconds_after_a_run_was_killed(engine: Embedded, hold: Hold) -> None:
    one = hold(engine.home.path)
    where(one)
    server, keeper = facts(engine.home.path)["pid"], facts(engine.home.path)["keeper"]
    one.kill()
    assert wait(lambda: not lives(server) and not lives(keeper))
    assert engine.settled() is not None


def test_a_started_server_stays_until_it_is_stopped_and_keeps_its_ports(engine: Embedded, hold: Hold) -> None:
    url = engine.start(quiet).url("one", application="")
    time.sleep(1)
    one = hold(engine.home.path)
    where(one)
    said: list[str] = []
    assert engine.stop(said.append)
    assert said == ["the local ClickHouse is in use by another run; it stops when the last one ends"]
    assert engine.running()
    leave(one)
    assert gone(engine)
    assert engine.start(quiet).url("one", application="") == url


def test_a_killed_keeper_takes_its_server_along_and_the_next_run_starts_anew(engine: Embedded) -> None:
    run(engine.start(quiet), "CREATE DATABASE one")
    old = facts(engine.home.path)
    os.kill(old["keeper"], signal.SIGKILL)
    assert wait(lambda: not engine._kept.alive())
    with engine.serve(quiet) as server:
        assert facts(engine.home.path)["keeper"] != old["keeper"]
        assert server.contents(["one"])["one"].exists
    assert gone(engine)  # the mark of the killed one's `start` is forgotten
    assert not lives(old["pid"])


def test_a_server_that_is_busy_ends_soon_after_its_keeper_was_killed(engine: Embedded) -> None:
    server = engine.start(quiet)
    busy = f"SELECT sleepEachRow(1) FROM numbers(100) SETTINGS function_sleep_max_microseconds_per_block = {10**9}"
    login = {name: value.decode() for name, value in server.address._login("").items()}
    client = (
        "import http.client, json, sys; port, statement, login = json.loads(sys.stdin.read())\n"
        "http.client.HTTPConnection('127.0.0.1', port).request('POST', '/', statement, login)\n"
        "sys.stdout.write('.'); sys.stdout.flush(); import time; time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", client], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps([facts(engine.home.path)["http"], busy, login]).encode())
        process.stdin.close()
        assert process.stdout.read(1) == b"."
        old = facts(engine.home.path)
        os.kill(old["keeper"], signal.SIGKILL)
        assert wait(lambda: not lives(old["pid"]), 10)
        process.kill()
    with engine.serve(quiet) as again:
        assert again.version


def test_a_kill_of_the_engine_loses_nothing_that_was_acknowledged(engine: Embedded) -> None:
    with engine.serve(quiet) as server:
        server.create("kept", None)
        run(
            server,
            "CREATE TABLE kept.t (n UInt64) ENGINE = MergeTree ORDER BY n",
            "INSERT INTO kept.t SELECT * FROM numbers(1000)",
        )
        os.kill(facts(engine.home.path)["pid"], signal.SIGKILL)
        assert gone(engine)
        with pytest.raises(ServerError, match="cannot be reached"):
            server.contents(["kept"])
    assert engine.settled() is None
    with engine.serve(quiet) as server:
        assert server.rows("kept") == {"t": 1000}


@pytest.mark.parametrize("which", ["http", "tcp"])
def test_a_port_that_somebody_took_is_exchanged_and_the_new_one_kept(engine: Embedded, which: str) -> None:
    with engine.serve(quiet):
        old = facts(engine.home.path)
    assert gone(engine)
    with socket.create_server(("127.0.0.1", old[which])), engine.serve(quiet):
        new = facts(engine.home.path)
        assert new[which] != old[which]
    assert gone(engine)
    with engine.serve(quiet):
        assert facts(engine.home.path)[which] == new[which]


def test_a_cluster_is_known_when_it_is_asked_for_and_stays_known(engine: Embedded, hold: Hold) -> None:
    home = engine.home.path
    distributed = "CREATE TABLE one.d (n UInt64) ENGINE = Distributed('{}', one, t)"
    with engine.serve(quiet) as server:
        server.create("one", None)
        run(server, "CREATE TABLE one.t (n UInt64) ENGINE = MergeTree ORDER BY n")
        with pytest.raises(ServerError, match="refused") as caught:
            run(server, distributed.format("first"))
        assert "701" in caught.value.why
    said: list[str] = []
    asking = Embedded(home, lambda: frozenset({"first"}))
    engine.start(quiet)
    with asking.serve(said.append) as server:
        run(server, distributed.format("first"), "INSERT INTO one.d VALUES (1)", "SYSTEM FLUSH DISTRIBUTED one.d")
        assert server.rows("one") == {"t": 1}
    assert any("started again" in line for line in said)
    time.sleep(1)
    assert engine.running()  # as `start` had asked
    one = hold(home)
    where(one)
    with pytest.raises(ServerError, match="does not know the cluster second yet"):  # noqa: SIM117 - reads in order
        with Embedded(home, lambda: frozenset({"second"})).serve(quiet):
            pass
    leave(one)
    engine.stop(quiet)
    assert gone(engine)
    with engine.serve(quiet) as server:
        assert server.address.query("SELECT cluster FROM system.clusters ORDER BY 1") == [
            ["default"],
            ["first"],
            ["second"],
        ]


def test_a_cluster_name_that_no_configuration_can_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="no ClickHouse cluster can be named"):
        server_xml(tmp_path, Ports(http=1, tcp=2), token="t", password="p", clusters={"a b"})
