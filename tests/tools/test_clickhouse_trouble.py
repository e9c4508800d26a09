"""An embedded ClickHouse that starts on top of what went wrong: other servers, damaged data, a full disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from schemas.errors import ServerError
from tests.tools.clickhouse import fixture_engine, gone, run
from tests.tools.conftest import facts, quiet
from tools.clickhouse import Embedded, smoke
from tools.clickhouse.config import Ports
from tools.clickhouse.embedded import address
from tools.ports import any_port

__all__ = ["fixture_engine"]


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
