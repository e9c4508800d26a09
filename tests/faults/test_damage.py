"""Files and ports that are not as we left them: recovered from, or one clear error whose next command works."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults import mounts, processes
from tests.faults.monorepo import ANT, Done, Monorepo, clean, refused
from tests.faults.mounts import mount, unmount
from tools.postgres import Embedded

MORE = "20260103000000_more"
GARBAGE = b"\0garbage\xff" * 400


def works(monorepo: Monorepo) -> Done:
    """Give the next run something to do, and see it done."""
    monorepo.add(ANT, MORE, "-- +goose Up\nINSERT INTO ran VALUES (20260103000000);\n")
    done = monorepo.doit("migrate")
    clean(done)
    assert (done.code, done.finished) == (0, {f"migrate:{ANT}"}), done.err
    return done


def follow(monorepo: Monorepo, done: Done) -> None:
    """Type the commands that an error names, but for doit's own, and see that `doit migrate` then works."""
    commands = re.findall(r"→ .*?\b((?:mv|rm) [^\n(]+)", done.err)
    assert commands, done.err
    for command in commands:
        subprocess.run(["/bin/sh", "-c", command], check=True)
    again = monorepo.doit("migrate")
    clean(again)
    assert again.code == 0, again.err
    assert monorepo.doit("status").code == 0


def port(monorepo: Monorepo) -> int:
    return int((monorepo.home / "port").read_text())


def test_a_port_that_somebody_else_listens_on_is_left_to_them(ant: Monorepo) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        before = port(ant)
        other.bind(("127.0.0.1", before))
        other.listen()
        works(ant)
    assert port(ant) != before


def test_a_port_of_a_foreign_postgresql_is_left_to_it(ant: Monorepo, tmp_path: Path) -> None:
    foreign = Monorepo(root=tmp_path / "foreign")
    subprocess.run(["/bin/cp", "-a", str(ant.root), str(foreign.root)], check=True)
    foreign.add(ANT, "20260104000000_theirs", "-- +goose Up\nSELECT 1;\n")
    with foreign.server():
        (ant.home / "port").write_text(str(port(foreign)))
        works(ant)
        assert port(ant) != port(foreign)
        assert foreign.doit("migrate").code == 0
    assert ant.doit("status").code == 0
    assert processes.gone(foreign.root) == []


@pytest.mark.parametrize("text", ["", "port", "-1", "99999999", "1"])
def test_a_remembered_port_that_is_none_is_replaced(ant: Monorepo, text: str) -> None:
    (ant.home / "port").write_text(text)
    works(ant)


@pytest.mark.parametrize(
    "text", ["{us}\n", "{us}\n{data}\n1\n5432\n\n\n\nready\n", "99999999\n", "", "-1\n", "garbage\n"]
)
def test_a_stale_postmaster_pid_is_passed_over(ant: Monorepo, text: str) -> None:
    stale = ant.home / "data" / "postmaster.pid"
    stale.write_text(text.format(us=os.getpid(), data=ant.home / "data"))
    shutil.chown(stale, *((one := stale.parent.stat()).st_uid, one.st_gid))
    works(ant)


@pytest.mark.parametrize("name", ["postmaster.pid", ".s.PGSQL.{port}.lock"])
def test_a_lock_file_whose_process_id_is_somebody_elses_by_now_is_passed_over(ant: Monorepo, name: str) -> None:
    sockets = Embedded(ant.home).home.sockets
    sockets.mkdir(mode=0o700, exist_ok=True)
    owner = (ant.home / "data").stat()
    with subprocess.Popen(["/bin/sleep", "60"], user=owner.st_uid) as other:
        lock = (ant.home / "data" if name == "postmaster.pid" else sockets) / name.format(port=port(ant))
        lock.write_text(f"{other.pid}\n{ant.home / 'data'}\n1\n{port(ant)}\n{sockets}\n")
        for path in (lock, sockets):
            os.chown(path, owner.st_uid, owner.st_gid)
        works(ant)
        assert other.poll() is None
        other.kill()


def test_an_unclean_shutdown_is_recovered_from(ant: Monorepo) -> None:
    assert ant.doit("start").code == 0
    for kind in ("postmaster", "keeper"):
        (number,) = [one.number for one in processes.of(ant.root) if one.kind == kind]
        os.kill(number, signal.SIGKILL)
    assert ant.doit("migrate").code == 0
    works(ant)


def test_a_keeper_that_was_killed_leaves_a_server_that_ends(ant: Monorepo) -> None:
    assert ant.doit("start").code == 0
    (number,) = [one.number for one in processes.of(ant.root) if one.kind == "keeper"]
    os.kill(number, signal.SIGKILL)
    assert processes.gone(ant.root) == []
    works(ant)


@pytest.mark.parametrize("version", ["15", "17", "", "garbage"])
def test_a_data_directory_of_another_version_is_refused_with_a_way_on(ant: Monorepo, version: str) -> None:
    (ant.home / "data" / "PG_VERSION").write_text(f"{version}\n")
    ant.add(ANT, MORE, "-- +goose Up\nSELECT 1;\n")
    done = ant.doit("migrate")
    refused(done, "data")
    follow(ant, done)


@pytest.mark.parametrize("name", ["PG_VERSION", "global/pg_control", "global"])
def test_a_data_directory_that_lacks_a_part_is_refused_with_a_way_on(ant: Monorepo, name: str) -> None:
    part = ant.home / "data" / name
    shutil.rmtree(part) if part.is_dir() else part.unlink()
    (ant.home / "settled.json").unlink()
    done = ant.doit("migrate")
    refused(done, "data")
    follow(ant, done)


def test_a_data_directory_that_was_removed_is_made_again(ant: Monorepo) -> None:
    shutil.rmtree(ant.home / "data")
    done = ant.doit("migrate")
    assert (done.code, done.finished) == (0, {f"migrate:{ANT}"}), done.err
    ant.whole((ANT,))


def test_a_password_file_that_was_removed_is_refused_with_a_way_on(ant: Monorepo) -> None:
    (ant.home / "password").unlink()
    ant.add(ANT, MORE, "-- +goose Up\nSELECT 1;\n")
    done = ant.doit("migrate")
    refused(done, "password")
    follow(ant, done)


@pytest.mark.parametrize("name", ["log", "run", "lease", "keeper", "starting", "port", "settled.json", "keeper.log"])
def test_any_other_part_of_the_server_folder_may_go(ant: Monorepo, name: str) -> None:
    part = ant.home / name
    shutil.rmtree(part) if part.is_dir() else part.unlink()
    works(ant)


SETTLED = [b"", b"{", b"[]", b"null", b"{}", b'{"proof": 1}', GARBAGE]
SETTLED += [
    b'{"proof": "{proof}"}',
    b'{"proof": "{proof}", "databases": 1}',
    b'{"proof": "{proof}", "databases": {"a": 1}}',
]


@pytest.mark.parametrize("content", SETTLED, ids=range(len(SETTLED)))
@pytest.mark.parametrize("name", ["settled.json", "server.json"])
def test_a_damaged_note_about_the_server_is_not_believed(ant: Monorepo, name: str, content: bytes) -> None:
    note = ant.home / name
    proof = json.loads((ant.home / "settled.json").read_bytes())["proof"]
    note.write_bytes(content.replace(b"{proof}", proof.encode()))
    done = ant.doit("migrate")
    clean(done)
    assert (done.code, done.finished) == (0, set()), done.err
    works(ant)


@pytest.mark.parametrize("damage", ["header", "schema", "pages", "end"])
@pytest.mark.parametrize("name", ["state.db", "catalog.json"])
def test_a_damaged_file_of_state_is_made_again(ant: Monorepo, name: str, damage: str) -> None:
    spoil(ant.root / ".state" / name, damage)
    works(ant)


@pytest.mark.parametrize("damage", ["header", "schema", "pages"])
def test_a_damaged_journal_is_refused_with_a_way_on(ant: Monorepo, damage: str) -> None:
    spoil(ant.root / ".state" / "journal.db", damage)
    ant.add(ANT, MORE, "-- +goose Up\nSELECT 1;\n")
    done = ant.doit("migrate")
    refused(done, "journal")
    follow(ant, done)


def spoil(file: Path, damage: str) -> None:
    for tail in ("-wal", "-shm"):
        file.with_name(file.name + tail).unlink(missing_ok=True)
    content = bytearray(file.read_bytes())
    if damage == "end":
        content = content[: len(content) // 2]
    else:
        start = {"header": 0, "schema": 100, "pages": 4096}[damage]
        content[start:] = GARBAGE * (len(content) // len(GARBAGE) + 1)
    file.write_bytes(content)


@pytest.mark.parametrize("fresh", [True, False], ids=["from the start", "after a run"])
def test_a_state_folder_that_cannot_be_written_gets_one_clear_error(
    ant: Monorepo, locked: Callable[[Path], None], *, fresh: bool
) -> None:
    if fresh:
        shutil.rmtree(ant.root / ".state")
        (ant.root / ".state").mkdir()
    ant.add(ANT, MORE, "-- +goose Up\nSELECT 1;\n")
    locked(ant.root / ".state")
    refused(ant.doit("migrate"), "writable")


@pytest.fixture
def locked() -> Iterator[Callable[[Path], None]]:
    """Make folders that nobody may write to: by their mode, or by a read-only mount where we are root."""
    made: list[Path] = []

    def lock(folder: Path) -> None:
        if os.geteuid():
            folder.chmod(0o555)
            made.append(folder)
            return
        mounts.needed()
        mount("--bind", folder, folder)
        made.append(folder)
        mount("-o", "remount,bind,ro", folder)

    yield lock
    for folder in made:
        if os.geteuid():
            folder.chmod(0o755)
        else:
            unmount(folder)
