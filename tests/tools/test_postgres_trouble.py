"""An embedded PostgreSQL on top of what went wrong: recovered, or one clear error."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from schemas.errors import ServerError
from tests.tools.conftest import facts, quiet, wait
from tools.postgres import Embedded

linux_root = pytest.mark.skipif(
    os.geteuid() != 0 or sys.platform != "linux", reason="mounting a file system needs root on Linux"
)


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
            server.create("kept", None)
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
