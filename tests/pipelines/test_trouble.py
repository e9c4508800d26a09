"""Bad command lines, a bad services.yaml, broken state, and runs that meet or are killed."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from tests.pipelines.conftest import Project

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "cases" / "commands.yaml").read_text())
ALL = ("auth-service/auth", "legal-service/legal", "identity-service/identity", "identity-service/auth")


@pytest.mark.parametrize("name", CASES)
def test_bad_command_lines(name: str, project: Project) -> None:
    case = CASES[name]
    ended = project.doit(*case["words"])
    assert case["says"] in ended.stderr
    assert ended.returncode == case["exit"]
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
    assert project.log() == []


@pytest.mark.parametrize("words", [["build"], ["why", "build"], ["look"], ["list", "--all"], ["forget", "build"]])
def test_a_bad_services_yaml_stops_what_needs_it(project: Project, words: list[str]) -> None:
    (project.root / "services.yaml").write_text("a: [")
    ended = project.doit(*words)
    assert ended.returncode == 3
    assert "services.yaml" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


@pytest.mark.parametrize("content", ["a: [", None], ids=["not YAML", "missing"])
def test_an_operation_without_names_goes_on_without_services_yaml(project: Project, content: str | None) -> None:
    services = project.root / "services.yaml"
    services.unlink()
    if content:
        services.write_text(content)
    ended = project.doit("selftest")
    assert ended.returncode == 0
    assert "✓ selftest  0 services" in ended.stderr
    assert "going on without services.yaml" in ended.stderr


def test_a_state_file_that_is_broken_is_set_aside_and_the_run_goes_on(project: Project) -> None:
    project.doit("build", "raise")
    project.log()
    (project.root / ".state" / "state.db").write_bytes(b"broken" * 1000)
    ended = project.doit("build", "raise")
    assert ended.returncode == 0
    assert "state.db was broken" in ended.stderr
    assert sorted(project.log()) == sorted(f"build:{place}" for place in (*ALL, "identity-service/legal"))


def test_a_state_folder_that_cannot_be_written_is_a_clear_error(project: Project) -> None:
    (project.root / ".state").write_text("a file")
    ended = project.doit("build")
    assert ended.returncode == 1
    assert "the state file cannot be used" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_two_runs_at_once_keep_both_results(project: Project) -> None:
    for name in ("auth-service.auth", "legal-service.legal"):
        project.control(name, "sleep 0.5")
    running = [
        subprocess.Popen(project.command(word), cwd=project.page, env=project.environment, stderr=subprocess.PIPE)
        for word in ("build:auth-service", "build:legal-service")
    ]
    for process in running:
        process.communicate(timeout=30)
        assert process.returncode == 0
    assert "0 ran, 2 up to date" in project.doit("build:auth-service", "build:legal-service").stderr


def test_a_killed_run_loses_no_finished_target(project: Project) -> None:
    project.control("identity-service.auth", "sleep 30")
    with subprocess.Popen(
        project.command("build", "-n", "2"),
        cwd=project.page,
        env=project.environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        finished = 0
        while finished < 4:
            finished += process.stderr.readline().startswith("✓")
        process.kill()
    project.control("identity-service.auth", "")
    project.log()
    project.doit("build")
    assert project.log() == ["build:identity-service/auth"]
