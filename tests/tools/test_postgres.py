"""The life of an embedded PostgreSQL: shared, kept, left alone, killed, and started on top of what went wrong."""

from __future__ import annotations

import json
import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from schemas.errors import ServerError
from tools.postgres import Embedded
from tools.postgres.account import Account

Hold = Callable[[Path], subprocess.Popen[str]]
ByHand = Callable[[Embedded], subprocess.Popen[bytes]]

ROOT = Path(__file__).parents[2]
linux_root = pytest.mark.skipif(
    os.geteuid() != 0 or sys.platform != "linux", reason="mounting a file system needs root on Linux"
)


def quiet(line: str) -> None:
    """Say nothing."""


def wait(true: Callable[[], bool], seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def facts(home: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((home / "server.json").read_text())
    return read


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
        server.create("kept")
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


def test_a_stale_process_id_of_somebody_else_is_no_server(engine: Embedded) -> None:
    status = engine.home.data / "postmaster.pid"
    account = engine.home.data.stat()
    user = account.st_uid if os.geteuid() == 0 else None
    with subprocess.Popen(["/bin/sleep", "60"], user=user) as other:
        status.write_text(f"{other.pid}\n{engine.home.data}\n{int(time.time())}\n5432\n\n127.0.0.1\n")
        with engine.serve(quiet):
            assert other.poll() is None
        other.kill()


def test_a_port_that_somebody_took_is_exchanged_and_the_new_one_kept(engine: Embedded) -> None:
    with engine.serve(quiet):
        port = facts(engine.home.path)["port"]
    assert wait(lambda: not engine._kept.alive())
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with engine.serve(quiet):
            other = facts(engine.home.path)["port"]
            assert other != port
        assert wait(lambda: not engine._kept.alive())
    with engine.serve(quiet):
        assert facts(engine.home.path)["port"] == other


def test_data_of_another_major_version_is_refused_with_the_way_out(engine: Embedded) -> None:
    (engine.home.data / "PG_VERSION").write_text("15\n")
    with (
        pytest.raises(ServerError, match="made by PostgreSQL 15; here runs PostgreSQL 16") as caught,
        engine.serve(quiet),
    ):
        pass
    assert f"mv {engine.home.data} {engine.home.data}.old" in caught.value.todo


def test_data_without_its_control_file_is_reported_with_the_log(engine: Embedded) -> None:
    (engine.home.data / "global" / "pg_control").unlink()
    with pytest.raises(ServerError, match="its data directory is damaged") as caught, engine.serve(quiet):
        pass
    assert "pg_control" in caught.value.why
    assert not engine.running()


def test_data_that_others_may_read_is_closed_again(engine: Embedded) -> None:
    engine.home.data.chmod(0o755)
    with engine.serve(quiet):
        pass
    assert engine.home.data.stat().st_mode & 0o777 == 0o700


def test_a_lost_password_is_reported(engine: Embedded) -> None:
    (engine.home.path / "password").unlink()
    with pytest.raises(ServerError, match="password of the local PostgreSQL cannot be read"), engine.serve(quiet):
        pass


def test_a_home_that_is_a_file_is_reported(tmp_path: Path, programs: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(ServerError, match="cannot use its folder"), Embedded(tmp_path / "home", programs).serve(quiet):
        pass


@pytest.mark.parametrize("name", ['it\'s "한글" $HOME `x`', "a, b", "long" * 30])
def test_a_home_may_have_any_name(tmp_path: Path, programs: Path, name: str) -> None:
    home = tmp_path / name / "postgres"
    home.parent.mkdir()
    engine = Embedded(home, programs)
    with engine.serve(quiet) as server:
        assert server.contents(["postgres"])["postgres"].exists
        assert server.create("one")
    assert wait(lambda: not engine._kept.alive())
    assert engine.settled() is not None


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


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    folder.mkdir()
    subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["/bin/umount", "-l", str(folder)], check=True)


def fill(file: Path) -> None:
    """Write until the disk is full."""
    with suppress(OSError), file.open("wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(65536))


@linux_root
def test_a_disk_too_small_for_the_data_directory_is_reported(tmp_path: Path, programs: Path) -> None:
    with small_disk(tmp_path / "disk", 20):
        engine = Embedded(tmp_path / "disk" / "postgres", programs)
        with pytest.raises(ServerError, match="could not be made") as caught, engine.serve(quiet):
            pass
        assert "free some space" in caught.value.todo
        assert not engine.home.data.exists()


@linux_root
def test_a_disk_that_fills_up_loses_nothing_and_the_server_starts_when_there_is_space(
    template: Path, tmp_path: Path, programs: Path
) -> None:
    with small_disk(tmp_path / "disk", 100):
        home = tmp_path / "disk" / "postgres"
        subprocess.run(["/bin/cp", "-a", str(template), str(home)], check=True)
        engine = Embedded(home, programs)
        with engine.serve(quiet) as server:
            server.create("kept")
            with psycopg.connect(server.url("kept", application="test"), autocommit=True) as connection:
                connection.execute("CREATE TABLE t AS SELECT 1 AS n")
                with pytest.raises(psycopg.Error):
                    connection.execute("CREATE TABLE big AS SELECT repeat('x', 1000) FROM generate_series(1, 1000000)")
        assert wait(lambda: not engine._kept.alive(), 20)
        fill(tmp_path / "disk" / "ballast")
        with pytest.raises(ServerError) as caught, engine.serve(quiet):
            pass
        assert "space" in str(caught.value)
        subprocess.run(["/bin/mount", "-o", "remount,size=200m", str(tmp_path / "disk")], check=True)
        with engine.serve(quiet) as server:
            assert server.rows("kept") == {"t": 1}
        assert wait(lambda: not engine._kept.alive(), 20)


@linux_root
def test_an_ordinary_user_runs_it_too(tmp_path: Path, programs: Path) -> None:
    user = pwd.getpwnam("nobody")
    # it reads what only root may enter, such as this interpreter; it is no root and owns its home only
    account = Account(name="nobody", uid=user.pw_uid, gid=user.pw_gid, capability="dac_read_search")
    account.own(tmp_path)
    journey = (
        "import os, sys; from pathlib import Path; from tools.postgres import Embedded\n"
        "engine = Embedded(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "with engine.serve(print) as server: print(os.geteuid(), bool(server.create('one')))\n"
        "engine.stop(print); print('settled', sorted(engine.settled()))\n"
    )
    done = subprocess.run(
        account.command((sys.executable, "-c", journey, str(tmp_path / "postgres"), str(programs))),
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-2:] == [f"{user.pw_uid} True", "settled ['one', 'postgres']"], done.stderr
    assert (tmp_path / "postgres" / "data").stat().st_uid == user.pw_uid
