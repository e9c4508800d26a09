"""The life of an embedded ClickHouse: shared, kept, left alone, killed, and started on top of what went wrong."""

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
from contextlib import contextmanager
from pathlib import Path

import pytest

from schemas.errors import ServerError
from tests.tools.conftest import facts, quiet, wait
from tools.account import Account
from tools.clickhouse import Embedded, smoke
from tools.clickhouse.config import Ports, server_xml
from tools.clickhouse.embedded import address
from tools.clickhouse.server import Connected
from tools.ports import any_port

ROOT = Path(__file__).parents[2]
USER_OF_A_SERVER = """
import sys
from pathlib import Path
from tools.clickhouse import Embedded
with Embedded(Path(sys.argv[1]), lambda: frozenset(sys.argv[2:])).serve(lambda line: None) as server:
    print(server.url("one", application="test").rpartition("@")[2], flush=True)
    sys.stdin.read()
"""

Hold = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Embedded]:
    """An embedded engine that is down; whatever the test starts is stopped."""
    one = Embedded(tmp_path / "clickhouse")
    yield one
    one.stop(quiet)
    assert gone(one)


@pytest.fixture
def hold() -> Iterator[Hold]:
    """Start another process that uses the server of a home until its standard input ends."""
    processes = []

    def start(place: Path, *clusters: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", USER_OF_A_SERVER, str(place), *clusters],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream:
                stream.close()


def gone(engine: Embedded) -> bool:
    return wait(lambda: not engine._kept.alive(), 15)


def lives(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def where(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def leave(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.wait()


def run(server: Connected, *statements: str) -> None:
    for statement in statements:
        server.address.query(statement)


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


def test_the_password_is_in_our_files_alone_and_asked_for(engine: Embedded, hold: Hold) -> None:
    one = hold(engine.home.path)
    where(one)
    password = engine.home.password()
    assert (engine.home.path / "password").stat().st_mode & 0o777 == 0o600
    for words in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert password.encode() not in words.read_bytes()
        except OSError:
            continue
    with engine.serve(quiet) as server, pytest.raises(ServerError) as caught:
        run(server, "CREATE TABLE nowhere.t")
    assert password not in str(caught.value)
    port = facts(engine.home.path)["tcp"]
    assert smoke.greet(port, password) == ""
    assert "Authentication failed" in smoke.greet(port, f"{password}x")
    leave(one)
    assert gone(engine)
    written = {file for file in engine.home.path.rglob("*") if file.is_file()}
    holding = {file.name for file in written if password.encode() in file.read_bytes()}
    assert holding == {"password", "config.xml"}
    assert (engine.home.run / "config.xml").stat().st_mode & 0o777 == 0o600
    assert engine.home.run.stat().st_mode & 0o777 == 0o700


def test_the_user_without_password_can_do_nothing(engine: Embedded) -> None:
    with engine.serve(quiet) as server:
        server.create("one", None)
        run(server, "CREATE TABLE one.t (n UInt64) ENGINE = MergeTree ORDER BY n")
        for statement in (
            "SELECT * FROM one.t",
            "INSERT INTO one.t VALUES (1)",
            "DROP DATABASE one",
            "CREATE DATABASE two",
            "SELECT * FROM file('/etc/passwd', 'LineAsString')",
            "SYSTEM STOP LISTEN TCP",
            "KILL QUERY WHERE 1",
        ):
            answer = server.address.ask(statement, user="default")
            assert answer.code in {201, 497}, statement  # quota exceeded, or not enough privileges
        assert server.address.ask("SELECT name FROM system.databases WHERE name = 'one'", user="default").rows == []
        assert server.contents(["one"])["one"].exists


def test_a_server_that_is_not_what_we_rely_on_is_reported(engine: Embedded) -> None:
    with engine.serve(quiet):
        at = facts(engine.home.path)
        here, password = address(engine.home, at), engine.home.password()
        smoke.prove(here, Ports(http=at["http"], tcp=at["tcp"]), password)
        with pytest.raises(ServerError, match="takes the password over the native protocol"):
            smoke.prove(here, Ports(http=at["http"], tcp=any_port()), password)


def test_another_server_on_the_data_is_waited_for_and_then_named(
    engine: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine.serve(quiet):
        pass
    assert gone(engine)
    other = (
        "import fcntl, sys, time; file = open(sys.argv[1], 'w'); fcntl.flock(file, fcntl.LOCK_EX)\n"
        "file.write('PID: 4711\\n'); file.flush(); print('.', flush=True); time.sleep(60)"
    )
    status = engine.home.data / "status"
    with subprocess.Popen([sys.executable, "-c", other, str(status)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        monkeypatch.setattr("tools.clickhouse.leftovers.PATIENCE", 0.1)
        with pytest.raises(ServerError, match=r"another ClickHouse \(process 4711\) runs on"):
            engine.stop(quiet)
        process.kill()
    status.unlink()


def test_a_file_left_by_a_crash_is_no_server(engine: Embedded) -> None:
    with engine.serve(quiet) as server:
        server.create("one", None)
        data, pid = engine.home.data, facts(engine.home.path)["pid"]
        os.kill(pid, signal.SIGKILL)
        assert gone(engine)
    assert (data / "status").exists()
    with engine.serve(quiet) as server:
        assert server.contents(["one"])["one"].exists


def test_data_of_a_newer_version_is_refused_with_the_way_out(engine: Embedded) -> None:
    with engine.serve(quiet):
        pass
    assert gone(engine)
    (engine.home.path / "version").write_text("99.1.0")
    with pytest.raises(ServerError, match=r"was used by ClickHouse 99\.1\.0; here runs"), engine.serve(quiet):
        pass


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("metadata/one.sql", "did not start: its data directory is damaged"),
        ("store/*/*/t.sql", "did not start: its data directory is damaged"),
        ("store/*/*/*/checksums.txt", "damaged: rows of one.t cannot be read"),
    ],
)
def test_damaged_data_is_reported_with_the_way_out(engine: Embedded, file: str, told: str) -> None:
    with engine.serve(quiet) as server:
        server.create("one", None)
        run(server, "CREATE TABLE one.t (n UInt64) ENGINE = MergeTree ORDER BY n", "INSERT INTO one.t VALUES (1)")
    assert gone(engine)
    (damaged,) = engine.home.data.glob(file)
    damaged.write_text("ATTACH nonsense")
    for _ in range(2):  # it does not become right by trying again
        with pytest.raises(ServerError, match=told) as caught, engine.serve(quiet):
            pass
        assert "mv " in caught.value.todo


def test_a_lost_password_is_made_anew(engine: Embedded) -> None:
    with engine.serve(quiet) as server:
        server.create("one", None)
    assert gone(engine)
    (engine.home.path / "password").unlink()
    with engine.serve(quiet) as server:
        assert server.contents(["one"])["one"].exists


@pytest.mark.parametrize("name", ['it\'s "한글" $HOME `x` <&>', "a, b", "long" * 30])
def test_a_home_may_have_any_name(tmp_path: Path, name: str) -> None:
    home = tmp_path / name / "clickhouse"
    home.parent.mkdir()
    engine = Embedded(home)
    with engine.serve(quiet) as server:
        assert server.create("one", None)
    assert gone(engine)
    assert "one" in (engine.settled() or {})


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    folder.mkdir()
    mount = ["/bin/mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small disk is not allowed here")
    try:
        yield
    finally:
        subprocess.run(["/bin/umount", "-l", str(folder)], check=True)


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="a small disk needs root on Linux")
def test_a_full_disk_is_reported_and_the_server_starts_when_there_is_space(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 24):
        engine = Embedded(tmp_path / "disk" / "clickhouse")
        with engine.serve(quiet) as server:
            server.create("one", None)
            run(server, "CREATE TABLE one.t (n String) ENGINE = MergeTree ORDER BY tuple()")
            with pytest.raises(ServerError, match="no space left"):
                run(server, "INSERT INTO one.t SELECT randomString(1000) FROM numbers(100000)")
            assert server.rows("one") == {}
        assert gone(engine)
        filler = engine.home.path / "filler"
        with filler.open("wb") as file:
            try:
                while True:
                    file.write(b"x" * 65536)
                    file.flush()
            except OSError:
                pass
        with pytest.raises(ServerError) as caught, engine.serve(quiet):
            pass
        assert "space" in caught.value.todo
        filler.unlink()
        with engine.serve(quiet) as server:
            assert server.contents(["one"])["one"].exists
        assert gone(engine)


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="only root hands the server to another")
def test_root_hands_the_server_to_an_account_without_rights(engine: Embedded) -> None:
    with engine.serve(quiet):
        status = Path(f"/proc/{facts(engine.home.path)['pid']}/status").read_text()
        assert "\nUid:\t0\t" not in status
        capabilities = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
        assert int(capabilities, 16) in {0, 1 << 2}  # none, or passing folders and reading files
        assert engine.home.data.stat().st_uid != 0


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="becoming another user needs root on Linux")
def test_an_ordinary_user_runs_it_too(tmp_path: Path) -> None:
    user = pwd.getpwnam("nobody")
    # it reads what only root may enter, such as this interpreter; it is no root and owns its home only
    account = Account(name="nobody", uid=user.pw_uid, gid=user.pw_gid, capability="dac_read_search")
    account.own(tmp_path)
    journey = (
        "import os, sys; from pathlib import Path; from tools.clickhouse import Embedded\n"
        "engine = Embedded(Path(sys.argv[1]))\n"
        "with engine.serve(print) as server: print(os.geteuid(), bool(server.create('one', None)))\n"
        "engine.stop(print); print('settled', sorted(engine.settled()))\n"
    )
    kept = {name: os.environ[name] for name in ("PATH", "GANDER_TOOLS") if name in os.environ}
    done = subprocess.run(
        account.command((sys.executable, "-c", journey, str(tmp_path / "clickhouse"))),
        cwd=ROOT,
        env=kept | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-2:] == [f"{user.pw_uid} True", "settled ['default', 'one']"], done.stderr
    assert (tmp_path / "clickhouse" / "data").stat().st_uid == user.pw_uid
