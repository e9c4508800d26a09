"""Whom an embedded ClickHouse lets in, which account runs it, and where its password is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from schemas.errors import ServerError
from tests.tools.clickhouse import Hold, fixture_engine, fixture_hold, gone, leave, run, where
from tests.tools.conftest import as_nobody, facts, quiet
from tools.clickhouse import Embedded, smoke

__all__ = ["fixture_engine", "fixture_hold"]


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


def test_a_lost_password_is_made_anew(engine: Embedded) -> None:
    with engine.serve(quiet) as server:
        server.create("one", None)
    assert gone(engine)
    (engine.home.path / "password").unlink()
    with engine.serve(quiet) as server:
        assert server.contents(["one"])["one"].exists


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
    assert as_nobody(tmp_path / "clickhouse", "tools.clickhouse") == "default one"
