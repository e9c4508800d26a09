from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.store import Store
from schemas.errors import GanderError

REPOSITORY = Path(__file__).parents[2]
WRITER = """
import sys
from pathlib import Path
from pipelines.store import Store

place, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
store = Store(lambda: place)
for number in range(count):
    task = f"{name}{number}"
    store.set(task, "_values_:", {"key": task})
    store.set(task, "checker:", "x")
    store.set(task, "deps:", [])
    print(task, flush=True)
"""


def finish(store: Store, name: str, values: dict[str, str]) -> None:
    store.set(name, "_values_:", values)
    store.set(name, "deps:", ())


def writer(place: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(place), name, str(count)]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / ".state" / "state.db"


@pytest.fixture
def store(place: Path) -> Store:
    return Store(lambda: place)


def test_a_finished_task_is_there_for_others_at_once(store: Store, place: Path) -> None:
    store.set("a", "_values_:", {"key": "1"})
    other = Store(lambda: place)
    assert not other.in_("a")
    store.set("a", "deps:", ())
    assert other.get("a", "_values_:") == {"key": "1"}
    assert other.values(["a", "b"]) == {"a": {"key": "1"}}
    store.dump()
    other.dump()


def test_a_failed_task_is_forgotten(store: Store) -> None:
    finish(store, "a", {"key": "1"})
    store.remove("a")
    assert not store.in_("a")
    assert store.get("a", "_values_:") is None
    store.dump()


def test_everything_can_be_forgotten(store: Store) -> None:
    finish(store, "a", {})
    store.remove_all()
    assert store.values(["a"]) == {}
    store.dump()


def test_looks_at_folders_are_kept(store: Store) -> None:
    assert store.look("x") is None
    store.remember("x", "signature", 12, "digest")
    assert store.look("x") == ("signature", 12, "digest")
    store.dump()


def test_asking_makes_no_file(store: Store, place: Path) -> None:
    assert store.values(["a"]) == {}
    assert store.get("a", "_values_:") is None
    store.remove("a")
    store.dump()
    assert not place.parent.exists()


def test_the_state_folder_keeps_itself_out_of_git(store: Store, place: Path) -> None:
    finish(store, "a", {})
    store.dump()
    assert (place.parent / ".gitignore").read_text() == "*\n"


def test_uncached_tasks_and_read_only_stores_leave_no_trace(store: Store, place: Path) -> None:
    store.uncached = frozenset({"look"})
    finish(store, "look", {})
    assert store.get("look", "_values_:") is None
    reader = Store(lambda: place, read_only=True)
    reader.remember("x", "signature", 12, "digest")
    store.dump()
    assert not place.exists()


def test_three_processes_at_once_lose_nothing(place: Path) -> None:
    writers = [writer(place, name, 200) for name in "abc"]
    assert [process.communicate(timeout=60)[0].count("\n") for process in writers] == [200] * 3
    assert [process.returncode for process in writers] == [0] * 3
    with sqlite3.connect(place) as connection:
        assert connection.execute("select count(*) from task").fetchone() == (600,)
    connection.close()


def test_kill_9_loses_no_finished_task(place: Path) -> None:
    for attempt in range(5):
        process = writer(place, f"{attempt}.", 100_000)
        assert process.stdout
        finished = [process.stdout.readline().strip()]
        time.sleep(0.05 * attempt)
        os.kill(process.pid, signal.SIGKILL)
        finished += process.stdout.read().split("\n")[:-1]
        process.wait()
        process.stdout.close()
        store = Store(lambda: place)
        assert set(store.values(finished)) == set(finished)
        assert len(finished) > attempt
        store.dump()
    with sqlite3.connect(place) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    connection.close()


@pytest.mark.parametrize(
    "content", [b"this is no database, whatever its name says" * 99, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_a_broken_file_is_set_aside_with_a_word(
    store: Store, place: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    place.parent.mkdir()
    place.write_bytes(content)
    finish(store, "a", {"key": "1"})
    assert store.values(["a"]) == {"a": {"key": "1"}}
    store.dump()
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "state.db was broken" in said
    (aside,) = place.parent.glob("state.db.broken-*")
    assert aside.read_bytes() == content


def test_a_page_that_breaks_later_is_set_aside_too(store: Store, place: Path) -> None:
    for number in range(300):
        finish(store, f"task {number}", {"key": "x" * 200})
    store.dump()
    content = bytearray(place.read_bytes())
    content[4096:] = b"\xee" * (len(content) - 4096)
    place.write_bytes(content)
    again = Store(lambda: place)
    finish(again, "a", {"key": "1"})
    assert again.values(["a"]) == {"a": {"key": "1"}}
    again.dump()


def test_an_empty_file_is_a_new_one(store: Store, place: Path) -> None:
    place.parent.mkdir()
    place.touch()
    finish(store, "a", {})
    assert store.in_("a")
    store.dump()


def test_a_folder_that_cannot_be_made_is_a_clear_error(store: Store, place: Path) -> None:
    place.parent.write_text("a file where the folder should be")
    with pytest.raises(GanderError, match="the state file cannot be used") as raised:
        finish(store, "a", {})
    assert str(place) in str(raised.value)
    assert "make its folder writable" in raised.value.todo


def test_a_locked_file_is_waited_for(store: Store, place: Path) -> None:
    finish(store, "a", {})
    code = (
        "import sqlite3, sys, time\n"
        f"c = sqlite3.connect({str(place)!r}, isolation_level=None)\n"
        "c.execute('begin immediate'); print('held', flush=True); time.sleep(0.5); c.execute('commit')"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        finish(store, "b", {})
    assert store.in_("b")
    store.dump()


def test_a_new_file_of_another_run_is_not_set_aside(store: Store, place: Path) -> None:
    finish(store, "old", {})
    fresh = place.with_name("fresh.db")
    other = Store(lambda: fresh)
    finish(other, "new", {})
    other.dump()
    for tail in ("-wal", "-shm"):  # what another run does that met the broken file first
        place.with_name(place.name + tail).unlink()
    fresh.rename(place)
    store._set_aside(sqlite3.DatabaseError("malformed"))
    assert store.in_("new")
    store.dump()
