from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pyte
import pytest

from pipelines.display import duration
from pipelines.terminal import FRAMES, Terminal

if TYPE_CHECKING:
    from tests.pipelines.conftest import Project

ROWS, COLUMNS = 30, 100


def on_a_terminal(project: Project, *words: str, reply: str = "", **variables: str) -> tuple[str, int]:
    """Everything that doit wrote to a terminal, and its exit code."""
    command, *arguments = project.command(*words)
    child = pexpect.spawn(
        command,
        arguments,
        cwd=str(project.page),
        env={**project.environment, "PYTHONUTF8": "1", **variables},
        dimensions=(ROWS, COLUMNS),
        encoding="utf-8",
        timeout=30,
    )
    before = ""
    if reply:
        child.expect("really\\? ")
        before = str(child.before) + str(child.after)
        child.sendline(reply)
    child.expect(pexpect.EOF)
    written = before + str(child.before)
    child.close()
    return written, child.exitstatus if child.exitstatus is not None else -1


def screen(written: str, columns: int = COLUMNS) -> list[str]:
    """What is left on the screen of a real terminal."""
    display = pyte.Screen(columns, ROWS)
    pyte.Stream(display).feed(written)
    assert pyte.modes.DECTCEM in display.mode  # the cursor is shown again
    return [line.rstrip() for line in display.display if line.strip()]


def test_a_terminal_shows_files_while_they_run_and_keeps_one_line_a_target(project: Project) -> None:
    project.control("auth-service.auth", "files")
    written, code = on_a_terminal(project, "build:auth-service", "build:legal-service")
    assert code == 0
    assert "2/3 02_a.sql (0.1 s)" in written
    assert "\x1b[32m✓" in written
    left = screen(written)
    assert sorted(line.split("  ")[0] for line in left[:2]) == [
        "✓ build:auth-service/auth",
        "✓ build:legal-service/legal",
    ]
    assert left[2].startswith("2 ran, 0 up to date, 0 failed in")
    assert len(left) == 3


def test_no_color_means_none(project: Project) -> None:
    written, _ = on_a_terminal(project, "build:auth-service", NO_COLOR="1")
    assert "✓ build:auth-service/auth" in written
    assert "\x1b[32m" not in written
    assert "\x1b[36m" not in written


@pytest.mark.parametrize("variables", [{"CI": "true"}, {"TERM": "dumb"}], ids=["CI", "a dumb terminal"])
def test_no_control_codes_in_ci_or_on_a_dumb_terminal(project: Project, variables: dict[str, str]) -> None:
    written, _ = on_a_terminal(project, "build:auth-service", **variables)
    assert "\x1b" not in written
    assert "✓ build:auth-service/auth  built" in written


def test_no_control_codes_in_a_pipe(project: Project) -> None:
    project.control("legal-service.legal", "fail")
    ended = project.doit("build", "--continue")
    assert "\x1b" not in ended.stderr
    assert "\r" not in ended.stderr


def test_nothing_to_do_draws_nothing(project: Project) -> None:
    project.doit("build:auth-service")
    written, _ = on_a_terminal(project, "build:auth-service")
    assert "\x1b" not in written
    assert "· build:auth-service/auth  up to date" in written


def test_a_failure_stays_on_the_screen(project: Project) -> None:
    project.control("auth-service.auth", "fail")
    written, code = on_a_terminal(project, "build:auth-service")
    assert code == 1
    left = screen(written)
    assert left[0].startswith("✗ build:auth-service/auth  failed")
    assert "  file.sql:3: it would not" in left
    assert left[-1] == "failed: build:auth-service/auth"


def test_data_and_lines_share_a_terminal_without_mixing(project: Project) -> None:
    project.control("slow")
    written, _ = on_a_terminal(project, "look:identity-service")
    assert "looking" in written
    left = screen(written)
    assert left[:3] == ["identity-service/identity", "identity-service/auth", "identity-service/legal"]
    assert left[3].startswith("✓ look")


def test_a_question_is_asked_once_the_drawing_has_stopped(project: Project) -> None:
    written, code = on_a_terminal(project, "wipe:auth-service", "to=7", reply="yes")
    assert code == 0
    assert "wiped to 7" in screen(written)[-2] + screen(written)[-1]


@pytest.mark.parametrize(("columns", "seen"), [(COLUMNS, "at work"), (30, "build:auth-service/auth.*…")])
def test_ctrl_c_on_a_terminal_ends_in_one_line_and_shows_the_cursor(project: Project, columns: int, seen: str) -> None:
    """Where a job's line fills a narrow terminal, `^C` must not begin a line of its own: the picture would stay."""
    project.control("auth-service.auth", "program")
    command, *arguments = project.command("build:auth-service")
    child = pexpect.spawn(
        command,
        arguments,
        cwd=str(project.page),
        env={**project.environment, "PYTHONUTF8": "1"},
        dimensions=(ROWS, columns),
        encoding="utf-8",
        timeout=30,
    )
    child.expect(seen)
    before = str(child.before) + str(child.after)
    child.sendintr()
    child.expect(pexpect.EOF)
    left = screen(before + str(child.before), columns)
    child.close()
    assert child.exitstatus == 130
    assert " ".join(left).endswith("stopped by signal 2; finished targets are kept")
    assert not any("Traceback" in line for line in left)
    assert not any(line.startswith(tuple(FRAMES)) for line in left), left


def test_nothing_is_drawn_once_the_run_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers may still tell what they do."""
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    monkeypatch.setenv("FORCE_COLOR", "1")
    terminal = Terminal()
    terminal.begin("build:auth-service")
    assert "\x1b[?25l" in written.getvalue()  # the cursor is hidden
    terminal.close()
    before = written.getvalue()
    terminal.now("build:auth-service", "late")
    terminal.close()
    assert written.getvalue() == before


BROKEN_OFF = """
import os, signal, sys
from pipelines.ending import stopping
from pipelines.terminal import Terminal

class Loud:
    def __getattr__(self, name):
        return getattr(sys.__stderr__, name)

    def write(self, text):
        sys.__stderr__.write(text)
        if "once" in text:
            os.kill(os.getpid(), signal.SIGINT)

sys.stderr = Loud()
terminal = Terminal()
with stopping() as at_end:
    at_end.callback(terminal.close)
    at_end.callback(terminal.line, "the end")
    terminal.begin("build:auth-service")
    terminal.line("once")
    terminal.line("never")
"""


def test_a_line_that_a_signal_hits_is_written_once(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BROKEN_OFF],
        cwd=Path(__file__).parents[2],
        env={"FORCE_COLOR": "1", "PYTHONUTF8": "1", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.count("once")) == (130, 1), done.stderr
    assert "the end" in done.stderr
    assert "never" not in done.stderr


@pytest.mark.parametrize(("seconds", "text"), [(0.04, "0.0 s"), (59.94, "59.9 s"), (125, "2 min 5 s")])
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text
