from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

if TYPE_CHECKING:
    from tests.pipelines.conftest import Project

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "cases" / "commands.yaml").read_text())
REPOSITORY = Path(__file__).parents[2]
WHY = json.loads((REPOSITORY / "schemas" / "why.schema.json").read_text())
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


def test_the_list_is_a_manual_that_reads_no_services(project: Project) -> None:
    shutil.rmtree(project.root)
    ended = project.doit("list")
    assert ended.returncode == 0
    assert ended.stderr == ""
    assert "build[:SERVICE[/DATABASE]]" in ended.stdout
    assert "look[:SERVICE[/DATABASE]] " in ended.stdout
    assert "selftest " in ended.stdout
    assert project.doit("list", "-q").stdout.split() == [
        "build", "check", "raise", "both", "deploy", "look", "wipe", "selftest",
    ]  # fmt: skip


def test_the_list_names_targets(project: Project) -> None:
    assert project.doit("list", "build:identity-service").stdout.split() == [
        "build:identity-service/identity",
        "build:identity-service/auth",
        "build:identity-service/legal",
    ]
    assert len(project.doit("list", "--all").stdout.split()) == 15
    assert not (project.root / ".state").exists()


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


@pytest.mark.parametrize("words", [["build"], ["why", "build"], ["look"], ["list", "--all"], ["forget", "build"]])
def test_a_bad_services_yaml_stops_what_needs_it(project: Project, words: list[str]) -> None:
    (project.root / "services.yaml").write_text("a: [")
    ended = project.doit(*words)
    assert ended.returncode == 3
    assert "services.yaml" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


@pytest.mark.parametrize("words", [["list"], ["help"], ["help", "build"], ["help", "run"]])
def test_a_missing_services_yaml_stops_no_manual(project: Project, words: list[str]) -> None:
    (project.root / "services.yaml").unlink()
    assert project.doit(*words).returncode == 0


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


def test_why_says_what_changed_and_writes_nothing(project: Project) -> None:
    assert "would run: no success of it is kept" in project.doit("why", "build:auth-service").stdout
    assert not (project.root / ".state").exists()
    project.doit("build:auth-service", "raise:auth-service")
    assert (
        "build:auth-service/auth  up to date: nothing changed, since 20"
        in project.doit("why", "build:auth-service").stdout
    )
    project.source("auth-service/auth", "select 2;")
    before = {file: file.stat().st_mtime_ns for file in project.root.rglob("*") if file.name != "asked"}
    project.log()
    text = project.doit("why", "both:auth-service").stdout
    assert "build:auth-service/auth  would run: changed: sources" in text
    assert "raise:auth-service/auth  would run: the world is elsewhere" in text
    after = {file: file.stat().st_mtime_ns for file in project.root.rglob("*") if file.name != "asked"}
    assert {file for file in after if after[file] != before.get(file)} <= {
        project.root / "control",
        project.root / ".state",
    }
    assert project.log() == []


def test_why_as_json_keeps_to_its_schema(project: Project) -> None:
    project.doit("check:auth-service")
    project.source("auth-service/auth", "select 2;")
    ended = project.doit(
        "why", "check:auth-service", "check:legal-service", "raise:identity-service/legal", "format=json"
    )
    document = json.loads(ended.stdout)
    jsonschema.validate(document, WHY)
    told = {one["target"]: one for one in document["targets"]}
    assert list(told) == ["check:auth-service/auth", "check:legal-service/legal", "raise:identity-service/legal"]
    assert told["check:auth-service/auth"]["changed"] == ["sources", "built on build:auth-service/auth"]
    assert told["check:auth-service/auth"]["up_to_date"] is False
    assert told["check:legal-service/legal"]["last_run"] is None
    assert ended.stderr == ""


def test_a_reader_that_leaves_early_is_no_error(project: Project) -> None:
    with subprocess.Popen(
        project.command("list", "--all"), cwd=project.page, env=project.environment, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout
        process.stdout.close()
        assert process.stderr
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_help_leaves_no_file_of_doit(project: Project) -> None:
    project.doit("help")
    project.doit("help", "build")
    project.doit("tabcompletion")
    assert {path.name for path in project.page.iterdir()} <= {"dodo.py", "verbs.py", "pyproject.toml", "__pycache__"}


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


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("-h",), "Operations"),
        (("--help",), "Operations"),
        (("wipe", "--help"), "doit wipe[:SERVICE[/DATABASE]]\n  wipe each database\n  to=      the version to go to"),
        (("build:auth-service", "-h"), "doit build[:SERVICE[/DATABASE]]"),
        (("why", "--help"), "say why a target would run"),
    ],
)
def test_help_is_shown_where_it_is_asked_for(words: tuple[str, ...], says: str, project: Project) -> None:
    ended = project.doit(*words)
    assert ended.returncode == 0
    assert says in ended.stdout
    assert project.log() == []
