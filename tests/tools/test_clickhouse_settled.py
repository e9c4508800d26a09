"""What a stopped ClickHouse's files prove, and when they prove nothing."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest

from schemas.errors import ServerError
from tests.tools.conftest import facts, quiet, wait
from tools.clickhouse import Embedded, settled
from tools.clickhouse.server import Connected

VERSIONS = """
CREATE TABLE one.goose_db_version (version_id Int64, is_applied UInt8, date Date DEFAULT now(),
  tstamp DateTime DEFAULT now()) ENGINE = MergeTree ORDER BY date
"""
ROW = "INSERT INTO one.goose_db_version (version_id, is_applied) VALUES ({}, 1)"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Embedded]:
    """An engine at rest whose database `one` has two versions applied."""
    one = Embedded(tmp_path / "clickhouse")
    with one.serve(quiet) as server:
        server.create("one", None)
        run(server, VERSIONS, *(ROW.format(version) for version in (0, 1, 2)))
    assert gone(one)
    yield one
    one.stop(quiet)
    assert gone(one)


def run(server: Connected, *statements: str) -> None:
    for statement in statements:
        server.address.query(statement)


def gone(engine: Embedded) -> bool:
    return wait(lambda: not engine._kept.alive(), 15)


def versions(engine: Embedded) -> list[int] | None:
    contents = engine.settled()
    return None if contents is None else [row.version for row in contents["one"].tables["goose_db_version"]]


def test_nothing_exists_before_the_first_start(tmp_path: Path) -> None:
    assert Embedded(tmp_path / "clickhouse").settled() == {}
    assert not (tmp_path / "clickhouse").exists()


def test_a_stopped_server_proves_what_its_databases_hold(engine: Embedded) -> None:
    assert versions(engine) == [1, 2]
    contents = engine.settled()
    assert contents is not None
    with engine.serve(quiet) as server:
        assert server.contents(["one"])["one"] == contents["one"]
    assert "two" not in contents


def test_the_proof_starts_no_process(engine: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a process was started"))
    assert engine.settled()


def test_a_running_server_proves_nothing(engine: Embedded) -> None:
    with engine.serve(quiet):
        assert engine.settled() is None


def test_a_server_that_somebody_just_left_is_waited_for(engine: Embedded) -> None:
    with engine.serve(quiet) as server:
        run(server, ROW.format(3))
    assert versions(engine) == [1, 2, 3]


@pytest.mark.parametrize("change", ["touch", "write", "replace", "rename", "add"])
def test_any_change_of_a_file_ends_the_proof(engine: Embedded, change: str) -> None:
    file = next(engine.home.data.rglob("columns.txt"))
    text = file.read_bytes()
    if change == "touch":
        os.utime(file)
    elif change == "write":
        file.write_bytes(text[:-1] + b" ")
    elif change == "replace":
        file.unlink()
        file.write_bytes(text)
    elif change == "rename":
        file.rename(file.with_name("rows.txt"))
    else:
        (engine.home.data / "store" / "more").mkdir()
    assert engine.settled() is None


def test_a_crash_proves_nothing_and_the_next_clean_stop_does(engine: Embedded) -> None:
    with engine.serve(quiet) as server:
        run(server, ROW.format(3))
        os.kill(facts(engine.home.path)["pid"], signal.SIGKILL)
        assert gone(engine)
    assert engine.settled() is None
    with engine.serve(quiet):
        pass
    assert versions(engine) == [1, 2, 3]


def test_a_query_that_is_left_running_is_ended(engine: Embedded) -> None:
    with engine.serve(quiet) as server:
        at = facts(engine.home.path)
        left = HTTPConnection("127.0.0.1", at["http"])
        left.request(
            "POST", "/", "SELECT max(cityHash64(number)) FROM numbers(1000000000000)", server.address._login("")
        )
        time.sleep(0.3)
    assert gone(engine)
    left.close()
    assert versions(engine) == [1, 2]


def test_writes_that_go_on_until_the_stop_prove_nothing_false(engine: Embedded) -> None:
    with engine.serve(quiet) as server:
        written: list[int] = []

        def write() -> None:
            with suppress(ServerError):
                for version in range(3, 10_000):
                    run(server, ROW.format(version))
                    written.append(version)

        thread = threading.Thread(target=write)
        thread.start()
        assert wait(lambda: len(written) > 3)
    assert gone(engine)
    thread.join(10)
    proved = versions(engine)
    if proved is not None:
        with engine.serve(quiet) as server:
            assert proved == [row.version for row in server.contents(["one"])["one"].tables["goose_db_version"]]


def test_a_stop_that_changes_a_file_and_a_server_that_runs_are_no_proof(engine: Embedded) -> None:
    seen = settled.signature(engine.home.data)
    assert settled.accept(engine.home, {}, seen)
    assert not settled.accept(engine.home, {}, "another")
    status = engine.home.data / "status"
    with status.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # as a server does
        assert settled.signature(engine.home.data) == seen
        assert engine.settled() is None
        assert not settled.accept(engine.home, {}, seen)
    assert engine.settled() == {}
