"""The life of an embedded PostgreSQL: shared, kept, left alone, killed, and started on top of what went wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from schemas.errors import ServerError
from tests.tools.conftest import ByHand, Hold, as_nobody, facts, quiet, wait
from tools.postgres import Embedded

ROOT = Path(__file__).parents[2]


def lives(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().partition("/")[0]


def leave(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.wait()


def test_the_server_starts_when_needed_and_is_gone_when_nobody_uses_it(engine: Embedded) -> None:
    assert not engine.running()
    with engine.serve(quiet) as server:
        assert engine.running()
        assert server.version.startswith("16.")
        assert server.embedded
    assert wait(lambda: not engine._kept.alive())
    assert not (engine.home.data / "postmaster.pid").exists()
    assert engine.stop(quiet) is False


def test_two_runs_share_the_server_and_the_last_one_lets_it_go(engine: Embedded, hold: Hold) -> None:
    first, second = hold(engine.home.path), hold(engine.home.path)
    where = address(first)
    assert address(second) == where
    leave(first)
    time.sleep(1)
    assert engine.running()
    leave(second)
    assert wait(lambda: not engine._kept.alive())


def test_five_runs_at_once_start_one_server(programs: Path, tmp_path: Path, hold: Hold) -> None:
    home = tmp_path / "fresh" / "postgres"
    runs = [hold(home) for _ in range(5)]
    assert len({address(run) for run in runs}) == 1
    for run in runs:
        leave(run)
    assert wait(lambda: not Embedded(home, programs).running())


def test_two_monorepos_never_meet(template: Path, tmp_path: Path, hold: Hold) -> None:
    homes = [tmp_path / "one", tmp_path / "two"]
    for home in homes:
        subprocess.run(["/bin/cp", "-a", str(template), str(home)], check=True)
    first, second = [address(hold(home)) for home in homes]
    assert first != second
    assert facts(homes[0])["sockets"] != facts(homes[1])["sockets"]


def test_nothing_is_left_five_seconds_after_a_run_was_killed(engine: Embedded, hold: Hold) -> None:
    run = hold(engine.home.path)
    address(run)
    server, keeper = facts(engine.home.path)["pid"], facts(engine.home.path)["keeper"]
    run.kill()
    assert wait(lambda: not lives(server) and not lives(keeper))
    assert engine.settled() is not None


def test_a_started_server_stays_until_it_is_stopped(engine: Embedded) -> None:
    url = engine.start(quiet).url("postgres", application="")
    time.sleep(1)
    with engine.serve(quiet) as server:
        assert server.url("postgres", application="") == url
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    began = time.monotonic()
    assert engine.stop(quiet)
    assert time.monotonic() - began < 2
    assert not engine.running()
    assert engine.start(quiet).url("postgres", application="") == url


def test_stop_leaves_a_server_in_use_to_its_last_user(engine: Embedded, hold: Hold) -> None:
    engine.start(quiet)
    run = hold(engine.home.path)
    address(run)
    said: list[str] = []
    assert engine.stop(said.append)
    assert said == ["the local PostgreSQL is in use by another run; it stops when the last one ends"]
    assert engine.running()
    leave(run)
    assert wait(lambda: not engine._kept.alive())


def test_a_killed_keeper_takes_its_server_along_and_the_next_run_starts_anew(engine: Embedded) -> None:
    engine.start(quiet)
    old = facts(engine.home.path)
    os.kill(old["keeper"], signal.SIGKILL)
    with engine.serve(quiet) as server:
        assert facts(engine.home.path)["keeper"] != old["keeper"]
        assert server.contents(["postgres"])["postgres"].exists
    assert wait(lambda: not engine._kept.alive())  # the mark of the killed one's `start` is forgotten
    assert not lives(old["pid"])


def test_an_orphaned_postmaster_is_ended_before_a_new_one_starts(engine: Embedded, by_hand: ByHand) -> None:
    orphan = by_hand(engine)
    with engine.serve(quiet):
        assert orphan.wait(5) == 0
    assert wait(lambda: not engine._kept.alive())
    orphan = by_hand(engine)
    assert engine.stop(quiet)
    assert orphan.wait(5) == 0


def test_the_kill_of_postgres_loses_nothing_that_was_committed(engine: Embedded) -> None:
    with engine.serve(quiet) as server:
        server.create("kept", None)
        with psycopg.connect(server.url("kept", application="test"), autocommit=True) as connection:
            connection.execute("CREATE TABLE t AS SELECT 1 AS n")
            os.kill(facts(engine.home.path)["pid"], signal.SIGKILL)
            assert wait(lambda: not engine._kept.alive())
            with pytest.raises(ServerError, match="cannot be reached"):
                server.contents(["kept"])
    assert engine.settled() is None
    with engine.serve(quiet) as server:
        assert server.rows("kept") == {"t": 1}


def test_sessions_that_outlive_a_killed_server_do_not_keep_the_next_one_out(engine: Embedded) -> None:
    with engine.serve(quiet) as server:
        url = server.url("postgres", application="test")
        busy = "import psycopg,sys; psycopg.connect(sys.argv[1]).execute(sys.argv[2])"
        endless = "DO $$ DECLARE n bigint := 0; BEGIN LOOP n := n + 1; END LOOP; END $$"
        with subprocess.Popen([sys.executable, "-c", busy, url, endless], stderr=subprocess.DEVNULL) as client:
            time.sleep(0.7)
            os.kill(facts(engine.home.path)["pid"], signal.SIGKILL)
            assert wait(lambda: not engine._kept.alive())
            with engine.serve(quiet) as again:
                assert again.contents(["postgres"])["postgres"].exists
            client.kill()


@pytest.mark.parametrize("name", ['it\'s "한글" $HOME `x`', "a, b", "long" * 30])
def test_a_home_may_have_any_name(tmp_path: Path, programs: Path, name: str) -> None:
    home = tmp_path / name / "postgres"
    home.parent.mkdir()
    engine = Embedded(home, programs)
    with engine.serve(quiet) as server:
        assert server.contents(["postgres"])["postgres"].exists
        assert server.create("one", None)
    assert wait(lambda: not engine._kept.alive())
    assert engine.settled() is not None
    assert engine.home.sockets.parent == home or not engine.home.sockets.exists()


def test_an_interrupted_initdb_leaves_nothing_half_made(tmp_path: Path, programs: Path, hold: Hold) -> None:
    home = tmp_path / "postgres"
    run = hold(home)
    assert wait(lambda: any(home.glob(".initdb-*/data/base")))
    run.kill()
    run.wait()
    assert not (home / "data").exists()
    with Embedded(home, programs).serve(quiet) as server:
        assert server.contents(["postgres"])["postgres"].exists
    assert not list(home.glob(".initdb-*"))


def test_the_password_is_in_its_file_alone(engine: Embedded, hold: Hold) -> None:
    run = hold(engine.home.path)
    address(run)
    password = (engine.home.path / "password").read_text()
    assert (engine.home.path / "password").stat().st_mode & 0o777 == 0o600
    with engine.serve(quiet) as server, pytest.raises(psycopg.Error):
        psycopg.connect(server.url("missing", application="test"))
    for words in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert password.encode() not in words.read_bytes()
        except OSError:
            continue
    leave(run)
    assert wait(lambda: not engine._kept.alive())
    written = [file for file in engine.home.path.rglob("*") if file.is_file() and file.name != "password"]
    assert {"settled.json", "keeper.log", "start.log"} <= {file.name for file in written}
    assert not [file for file in written if password.encode() in file.read_bytes()]


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="becoming another user needs root on Linux")
def test_an_ordinary_user_runs_it_too(tmp_path: Path, programs: Path) -> None:
    assert as_nobody(tmp_path / "postgres", "tools.postgres", str(programs)) == "one postgres"
