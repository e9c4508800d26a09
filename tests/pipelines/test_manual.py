"""What doit says of itself: its list, its help, and why a target would run."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

if TYPE_CHECKING:
    from tests.pipelines.conftest import Project

REPOSITORY = Path(__file__).parents[2]
WHY = json.loads((REPOSITORY / "schemas" / "why.schema.json").read_text())


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


@pytest.mark.parametrize("words", [["list"], ["help"], ["help", "build"], ["help", "run"]])
def test_a_missing_services_yaml_stops_no_manual(project: Project, words: list[str]) -> None:
    (project.root / "services.yaml").unlink()
    assert project.doit(*words).returncode == 0


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
