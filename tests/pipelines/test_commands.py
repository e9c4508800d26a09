"""What commands run and what they leave alone, by what has changed since."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.pipelines.conftest import Project


def test_a_first_run_builds_all_and_a_second_nothing(project: Project) -> None:
    first = project.doit()
    assert first.returncode == 0
    assert "9 ran, 1 up to date, 0 failed in" in first.stderr
    assert first.stdout == ""
    assert len(project.log()) == 9
    second = project.doit()
    assert "0 ran, 10 up to date, 0 failed in" in second.stderr
    assert project.log() == []
    assert (project.root / ".state" / ".gitignore").read_text() == "*\n"
    assert not (project.page / ".state").exists()


def test_only_what_changed_runs(project: Project) -> None:
    project.doit("check")
    project.log()
    project.source("auth-service/auth", "select 2;")
    for file in (project.root / "sources").rglob("*.sql"):
        os.utime(file)
    ended = project.doit("check")
    assert sorted(project.log()) == ["build:auth-service/auth", "check:auth-service/auth"]
    assert "2 ran, 4 up to date" in ended.stderr


def test_a_new_version_of_a_step_runs_again(project: Project) -> None:
    project.doit("build:auth-service")
    project.log()
    project.doit("build:auth-service", STEP_VERSION="2")
    assert project.log() == ["build:auth-service/auth"]


def test_a_changed_entry_of_services_yaml_runs_again(project: Project) -> None:
    project.doit("build")
    project.log()
    services = project.root / "services.yaml"
    services.write_text(services.read_text().replace("name: second", "name: {prod: renamed}"))
    project.doit("build")
    assert project.log() == ["build:legal-service/legal"]


def test_what_the_world_lost_runs_again_and_alone(project: Project) -> None:
    project.doit("raise")
    project.log()
    (project.root / "world" / "auth-service.auth").unlink()
    project.doit("raise")
    assert project.log() == ["raise:auth-service/auth"]


def test_an_empty_cache_makes_nothing_run_that_the_world_proves(project: Project) -> None:
    project.doit("raise")
    project.log()
    shutil.rmtree(project.root / ".state")
    assert "0 ran, 5 up to date" in project.doit("raise").stderr
    assert project.log() == []


def test_the_world_is_asked_once_for_all_targets(project: Project) -> None:
    project.doit("raise")
    (project.root / "control" / "asked").unlink()
    project.doit("raise")
    assert (project.root / "control" / "asked").read_text() == "5\n"


def test_a_reference_is_asked_again_after_its_owner_ran(project: Project) -> None:
    ended = project.doit("raise:identity-service/legal")
    assert project.log() == ["raise:legal-service/legal"]
    assert "1 ran, 1 up to date, 0 failed" in ended.stderr


def test_a_world_that_cannot_be_asked_is_not_known(project: Project) -> None:
    project.doit("raise:auth-service")
    project.log()
    project.control("world-is-away")
    assert "not known: the world is away" in project.doit("why", "raise:auth-service").stdout
    assert project.doit("raise:auth-service").returncode == 0
    assert project.log() == ["raise:auth-service/auth"]


def test_always_runs_what_is_up_to_date_and_keeps_its_key(project: Project) -> None:
    project.doit("build")
    project.log()
    assert "5 ran, 0 up to date" in project.doit("build", "-a").stderr
    assert len(project.log()) == 5
    assert "0 ran, 5 up to date" in project.doit("build").stderr


def test_single_runs_the_named_target_alone(project: Project) -> None:
    project.doit("-s", "check:auth-service")
    assert project.log() == ["check:auth-service/auth"]


def test_forget_drops_keys_and_nothing_else(project: Project) -> None:
    project.doit()
    project.log()
    assert project.doit("forget", "both:auth-service").stdout.splitlines() == [
        "forgotten: build:auth-service/auth",
        "forgotten: raise:auth-service/auth",
    ]
    project.doit()
    assert project.log() == ["build:auth-service/auth"]
    assert project.doit("forget", "--all").returncode == 0
    project.doit("build")
    assert len(project.log()) == 5


def test_options_may_follow_names(project: Project) -> None:
    assert project.doit("build:auth-service", "-n", "4", "raise:auth-service", "--continue").returncode == 0
    assert len(project.log()) == 2


def test_many_up_to_date_targets_are_counted_not_listed(project: Project) -> None:
    project.doit("check", "raise")
    assert project.doit("raise").stderr.count("up to date: the world is there, since 2026") == 5
    (line,) = project.doit("check", "build", "raise").stderr.splitlines()
    assert line.startswith("0 ran, 15 up to date, 0 failed in")


def test_an_operation_writes_data_to_stdout_alone(project: Project) -> None:
    ended = project.doit("look:auth-service", "format=json")
    assert json.loads(ended.stdout) == ["auth-service/auth"]
    assert "✓ look  looked" in ended.stderr
    assert not (project.root / ".state" / "state.db").exists()


def test_an_operation_that_finds_disorder_ends_1_without_an_error(project: Project) -> None:
    project.control("disorder")
    ended = project.doit("look")
    assert ended.returncode == 1
    assert "! look  looked" in ended.stderr
    assert "failed" not in ended.stderr
