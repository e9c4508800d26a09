from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.pipelines.conftest import Project


def until(project: Project, text: str) -> None:
    """Wait until the verbs have written this down."""
    log = project.root / "control" / "log"
    deadline = time.monotonic() + 30
    while not (log.exists() and text in log.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def begin(project: Project, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        project.command(*words), cwd=project.page, env=project.environment, stderr=subprocess.PIPE, text=True
    )


def test_a_failure_is_told_at_once_and_counted_again_without_secrets(project: Project) -> None:
    project.control("auth-service.auth", "fail")
    ended = project.doit("build:auth-service")
    assert ended.returncode == 1
    lines = ended.stderr.splitlines()
    assert lines[1].startswith("✗ build:auth-service/auth  failed")
    assert lines[2:5] == ["  file.sql:3: it would not", "    secret *****", "    → try again"]
    assert lines[5].startswith("0 ran, 0 up to date, 1 failed in")
    assert lines[6] == "failed: build:auth-service/auth"
    assert "Traceback" not in ended.stderr


def test_a_bug_is_a_traceback_without_secrets_and_exit_2(project: Project) -> None:
    project.control("auth-service.auth", "bug")
    ended = project.doit("build:auth-service")
    assert ended.returncode == 2
    assert "ZeroDivisionError: *****" in ended.stderr
    assert "This is a bug in Gander" in ended.stderr


def test_a_full_disk_is_no_bug(project: Project) -> None:
    project.control("auth-service.auth", "full")
    ended = project.doit("build:auth-service")
    assert ended.returncode == 1
    assert "  /data/file: No space left on device\n    → free some space" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_data_for_a_full_disk_is_no_bug(project: Project) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            project.command("list"), cwd=project.page, env=project.environment, stdout=full, stderr=subprocess.PIPE,
            text=True, check=False,
        )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr.startswith("No space left on device")


def test_the_failed_target_runs_again_and_the_others_do_not(project: Project) -> None:
    project.control("legal-service.legal", "fail")
    project.doit("build", "--continue")
    project.control("legal-service.legal")
    project.log()
    assert project.doit("build").returncode == 0
    assert project.log() == ["build:legal-service/legal"]


@pytest.mark.parametrize("options", [["-n", "1"], ["-n", "4"], []], ids=["one", "four", "as many as fit"])
def test_with_continue_the_independent_ones_run_after_a_failure(project: Project, options: list[str]) -> None:
    project.control("legal-service.legal", "fail")
    ended = project.doit("check", "--continue", *options)
    assert ended.returncode == 1
    assert "8 ran, 0 up to date, 1 failed, 1 not run" in ended.stderr
    assert "- check:legal-service/legal" in ended.stderr
    assert "check:legal-service/legal" not in project.log()


def test_without_continue_what_runs_finishes_and_dependents_do_not_begin(project: Project) -> None:
    project.control("auth-service.auth", "fail")
    project.control("legal-service.legal", "sleep 0.5")
    ended = project.doit("-n", "2", "check:auth-service", "check:legal-service")
    assert ended.returncode == 1
    assert "✓ build:legal-service/legal" in ended.stderr
    assert "1 ran, 0 up to date, 1 failed, 2 not run" in ended.stderr
    assert not [line for line in project.log() if line.startswith("check:")]


def test_independent_databases_run_at_once_by_default(project: Project) -> None:
    for name in ("auth-service.auth", "legal-service.legal"):
        project.control(name, "sleep 0.5")
    project.doit("build:auth-service", "build:legal-service")
    assert "2 at once" in project.whole_log()


def test_one_at_a_time_when_asked(project: Project) -> None:
    for name in ("auth-service.auth", "legal-service.legal"):
        project.control(name, "sleep 0.2")
    project.doit("-n", "1", "build:auth-service", "build:legal-service")
    assert "2 at once" not in project.whole_log()


def test_an_owner_goes_before_its_reference(project: Project) -> None:
    project.control("legal-service.legal", "sleep 0.3")
    project.doit("-a", "raise")
    log = project.log()
    assert log.index("raise:legal-service/legal") < log.index("raise:identity-service/legal")


@pytest.mark.parametrize("words", [["build:auth-service"], ["build", "-n", "4"]], ids=["alone", "with threads"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_programs_and_keeps_what_is_finished(
    project: Project, words: list[str], number: signal.Signals
) -> None:
    project.control("auth-service.auth", "program")
    process = begin(project, *words)
    program = project.root / "control" / "auth-service.auth.pid"
    until(project, "build:auth-service/auth" if len(words) == 1 else "build:identity-service/legal")
    while not (program.exists() and program.read_text()):
        time.sleep(0.02)
    began = time.monotonic()
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 128 + number
    assert time.monotonic() - began < 5
    assert said.endswith(f"stopped by signal {number.value}; finished targets are kept\n")
    assert "Traceback" not in said
    with pytest.raises(ProcessLookupError):
        os.kill(int(program.read_text()), 0)
    project.control("auth-service.auth")
    project.log()
    project.doit(*words)
    assert project.log() == ["build:auth-service/auth"]


def test_a_signal_that_was_ignored_stays_ignored(project: Project) -> None:
    project.control("auth-service.auth", "sleep 1")
    code = "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    command = [sys.executable, "-c", code, *project.command("build:auth-service")]
    with subprocess.Popen(command, cwd=project.page, env=project.environment, stderr=subprocess.PIPE) as process:
        until(project, "at once")
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=20)
    assert process.returncode == 0
