from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tools.lease import Lock

HOLDER = """
import sys, time
from pathlib import Path
from tools.lease import Lock
lock = Lock(Path(sys.argv[1]))
print(lock.take(shared=sys.argv[2] == 'shared'), flush=True)
time.sleep(60)
"""


def holder(path: Path, kind: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), kind],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    return process


@pytest.mark.parametrize(
    ("theirs", "ours", "taken"),
    [("shared", True, True), ("shared", False, False), ("exclusive", True, False), ("exclusive", False, False)],
    ids=["two share", "a sharer keeps out who wants it alone", "who has it alone keeps out sharers", "one alone"],
)
def test_locks_of_two_processes(tmp_path: Path, theirs: str, ours: bool, taken: bool) -> None:  # noqa: FBT001 - cases
    with holder(tmp_path / "lock", theirs) as process:
        lock = Lock(tmp_path / "lock")
        assert lock.take(shared=ours) is taken
        assert lock.taken(shared=ours) is not taken
        lock.release()
        process.kill()
    assert Lock(tmp_path / "lock").take()


def test_a_killed_holder_lets_go_though_its_child_lives_on(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "lock")
    assert lock.take()
    with subprocess.Popen(["/bin/sleep", "60"]) as child:
        lock.release()
        other = Lock(tmp_path / "lock")
        assert other.take()
        child.kill()
    other.release()


def test_looking_at_a_lock_makes_no_file_and_leaves_no_lock(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "lock")
    assert not lock.taken()
    assert not lock.path.exists()
    assert lock.take()
    lock.release()
    assert not lock.taken()
    assert Lock(tmp_path / "lock").take()


def test_who_waits_for_long_says_so_once(tmp_path: Path) -> None:
    first, second = Lock(tmp_path / "lock"), Lock(tmp_path / "lock")
    said: list[str] = []
    assert first.take()
    threading.Timer(1.5, first.release).start()
    began = time.monotonic()
    with second.held(waiting=lambda: said.append("waiting")):
        assert time.monotonic() - began > 1.3
    assert said == ["waiting"]
    assert first.take()
    first.release()
