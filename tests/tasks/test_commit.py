from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.errors import Refused, ToolError
from tasks.commit.message import message
from tools import git
from tools.git import commit

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "cases" / "commit_message.yaml").read_text())
NAME = ("-c", "user.name=Someone", "-c", "user.email=someone@example.com", "-c", "commit.gpgsign=false")
Typed = Callable[..., str]


@pytest.mark.parametrize("name", CASES)
def test_the_message_when(name: str) -> None:
    case = CASES[name]
    assert message("s", case["changes"]) == (case["subject"], case.get("body", ""))


@pytest.fixture(name="typed")
def fixture_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Typed:
    for variable in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"):
        monkeypatch.setenv(variable, "Someone")
    for variable in ("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(variable, "someone@example.com")

    def typed(*words: str) -> str:
        done = subprocess.run(
            [shutil.which("git") or "git", *NAME, *words], cwd=tmp_path, check=True, capture_output=True, text=True
        )
        return done.stdout

    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "1_a.sql").write_text("a")
    (tmp_path / "m" / "2_b.sql").write_text("b")
    (tmp_path / "other.txt").write_text("other")
    typed("init", "--quiet", "--initial-branch", "main")
    typed("config", "commit.gpgsign", "false")
    typed("add", "--all")
    typed("commit", "--quiet", "--message", "first")
    return typed


def here(folder: Path) -> git.Repository:
    found = git.find(folder)
    assert found
    return found


def test_new_edited_and_gone_files_are_committed_and_what_else_is_staged_stays_staged(
    typed: Typed, tmp_path: Path
) -> None:
    (tmp_path / "m" / "3_ü c.sql").write_text("c")
    (tmp_path / "m" / "1_a.sql").write_text("edited")
    (tmp_path / "m" / "2_b.sql").unlink()
    (tmp_path / "other.txt").write_text("staged")
    typed("add", "other.txt")
    repository = here(tmp_path)
    found = commit.changes(repository, ["m"])
    assert found == {"m/1_a.sql": "M", "m/2_b.sql": "D", "m/3_ü c.sql": "A"}
    new = commit.record(repository, found, "subject", "body")
    assert typed("log", "-1", "--format=%H %s %b").split() == [new, "subject", "body"]
    assert typed("-c", "core.quotePath=false", "show", "--name-only", "--format=", "HEAD").split("\n")[:-1] == sorted(
        found
    )
    assert typed("status", "--porcelain") == "M  other.txt\n"
    assert commit.changes(repository, ["m"]) == {}


def test_a_failing_hook_is_shown_and_leaves_nothing_staged(typed: Typed, tmp_path: Path) -> None:
    hook = tmp_path / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\necho the house is not tidy >&2\nexit 1\n")
    hook.chmod(0o755)
    (tmp_path / "m" / "3_c.sql").write_text("c")
    (tmp_path / "other.txt").write_text("staged")
    typed("add", "other.txt")
    repository = here(tmp_path)
    with pytest.raises(ToolError, match="git did not commit") as raised:
        commit.record(repository, commit.changes(repository, ["m"]), "subject", "")
    assert raised.value.why == "the house is not tidy"
    assert typed("status", "--porcelain") == "M  other.txt\n?? m/3_c.sql\n"


@pytest.mark.parametrize("kind", ["merge", "rebase", "cherry-pick"])
def test_in_the_middle_of_something_else_it_is_refused(kind: str, typed: Typed, tmp_path: Path) -> None:
    typed("checkout", "--quiet", "-b", "side")
    (tmp_path / "other.txt").write_text("side")
    typed("commit", "--quiet", "--all", "--message", "side")
    typed("checkout", "--quiet", "main")
    (tmp_path / "other.txt").write_text("main")
    typed("commit", "--quiet", "--all", "--message", "main")
    with pytest.raises(subprocess.CalledProcessError):
        typed(kind, "side")
    with pytest.raises(Refused, match=f"a {kind} is in progress") as raised:
        commit.ready(here(tmp_path))
    assert raised.value.todo == f"git {kind} --continue   (or --abort)"


def test_a_detached_head_is_refused(typed: Typed, tmp_path: Path) -> None:
    typed("checkout", "--quiet", "--detach")
    with pytest.raises(Refused, match="HEAD is detached"):
        commit.ready(here(tmp_path))


def test_without_a_name_it_is_refused_with_the_commands(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed("config", "user.useConfigOnly", "true")
    for variable in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL", "EMAIL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    with pytest.raises(Refused, match="git does not know who commits") as raised:
        commit.ready(here(tmp_path))
    assert "git config user.email" in raised.value.todo


def test_in_a_repository_without_commits_everything_is_new(tmp_path: Path) -> None:
    subprocess.run([shutil.which("git") or "git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "1_a.sql").write_text("a")
    assert commit.changes(here(tmp_path), ["m", "nowhere"]) == {"m/1_a.sql": "A"}


def test_ignored_files_are_found(typed: Typed, tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*_tmp.sql\n")
    (tmp_path / "m" / "3_tmp.sql").write_text("c")
    assert typed("status", "--porcelain") == "?? .gitignore\n"
    assert commit.ignored(here(tmp_path), ["m"]) == ["m/3_tmp.sql"]
