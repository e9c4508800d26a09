"""The one door to other programs, with real programs behind it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from schemas.errors import ToolError, ToolTimeout
from tools import children, shell

SH = Path("/bin/sh")


def _sh(script: str, **more: object) -> shell.Finished:
    return shell.run([SH, "-c", script], environment={"PATH": os.environ["PATH"]}, timeout=20, **more)  # type: ignore[arg-type]  # the rest is passed on


def test_both_outputs_and_the_exit_code_come_back() -> None:
    done = _sh("echo out; echo err >&2; exit 7")
    assert (done.code, done.out, done.err) == (7, "out\n", "err\n")


def test_a_signal_shows_as_a_negative_code() -> None:
    assert _sh("kill -TERM $$").code == -signal.SIGTERM


def test_a_program_sees_only_the_given_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://u:topsecret@h/d")
    done = shell.run(["/usr/bin/env"], environment={"ONLY": "this"}, timeout=20)
    assert done.out == "ONLY=this\n"
    assert "DATABASE_URL" not in shell.inherited()


def test_secrets_are_hidden_in_outputs_and_in_lines_as_they_come() -> None:
    shell.hide("s3cr%40t")
    lines: list[str] = []
    done = _sh("echo a s3cr%40t b; echo c s3cr%40t d >&2; printf 'no end s3cr%%40t' >&2", on_line=lines.append)
    assert done.out == "a ***** b\n"
    assert sorted(lines) == ["a ***** b", "c ***** d", "no end *****"]
    assert "s3cr" not in done.err


def test_lines_come_while_the_program_works() -> None:
    seen: list[float] = []
    done = _sh("echo one >&2; sleep 0.6; echo two >&2", on_line=lambda _: seen.append(time.monotonic()))
    assert done.code == 0
    assert seen[1] - seen[0] > 0.4


def test_past_its_deadline_a_program_and_its_children_are_ended(tmp_path: Path) -> None:
    marker = tmp_path / "alive"
    with pytest.raises(ToolTimeout, match="sh did not end within 0 s"):
        shell.run(
            [SH, "-c", f"(sleep 1.5; touch {marker}) & wait"], environment={"PATH": os.environ["PATH"]}, timeout=0.3
        )
    time.sleep(1.6)
    assert not marker.exists()


def test_a_program_that_ignores_the_request_to_end_is_killed() -> None:
    began = time.monotonic()
    with pytest.raises(ToolTimeout):
        shell.run(
            [sys.executable, "-c", "import signal,time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"],
            environment={},
            timeout=0.5,
        )
    assert time.monotonic() - began < 20


def test_a_missing_program_is_a_clear_error() -> None:
    with pytest.raises(ToolError, match=r"nosuch cannot be started[\s\S]*No such file[\s\S]*doit doctor"):
        shell.run(["/nowhere/nosuch"], environment={}, timeout=5)


def test_output_beyond_the_limit_is_dropped_and_the_program_is_not_blocked() -> None:
    done = _sh("head -c 20000000 /dev/zero | tr '\\0' 'x'; echo end >&2")
    assert len(done.out) == shell.OUTPUT_LIMIT
    assert done.err == "end\n"


def test_stop_all_ends_what_other_threads_wait_for() -> None:
    codes: list[int] = []
    waiting = threading.Thread(target=lambda: codes.append(_sh("sleep 60").code))
    waiting.start()
    deadline = time.monotonic() + 10
    while not children._children and time.monotonic() < deadline:
        time.sleep(0.01)
    children.stop_all()
    waiting.join(10)
    assert codes == [-signal.SIGTERM]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can bind a program to its parent")
def test_a_bound_program_dies_with_us_even_by_kill_9(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    script = (
        "from tools import children, shell\n"
        f"shell.run(['/bin/sh', '-c', 'echo $$ > {note}; sleep 60'], environment={{'PATH': '/usr/bin:/bin'}},"
        " timeout=90, bound_to_us=True)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[2])
    deadline = time.monotonic() + 10
    while not (note.exists() and note.read_text().strip()) and time.monotonic() < deadline:
        time.sleep(0.02)
    child = int(note.read_text())
    parent.kill()
    parent.wait()
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{child}").exists()
