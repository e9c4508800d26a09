"""A commit is copied with its base branch, and the user's repository is left as it was."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import git
from tools.git.copy import copied

NAME = ("-c", "user.name=Someone", "-c", "user.email=someone@example.com", "-c", "commit.gpgsign=false")
Typed = Callable[..., str]


@pytest.fixture(name="typed")
def fixture_typed(tmp_path: Path) -> Typed:
    def typed(*words: str, at: Path = tmp_path / "tree") -> str:
        done = subprocess.run(
            [shutil.which("git") or "git", *NAME, *words], cwd=at, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    (tmp_path / "tree" / "mono").mkdir(parents=True)
    typed("init", "--quiet", "--initial-branch", "trunk")
    (tmp_path / "tree" / "mono" / "a.sql").write_text("first\n")
    (tmp_path / "tree" / "outside.txt").write_text("out\n")
    typed("add", "--all")
    typed("commit", "--quiet", "--message", "first")
    typed("clone", "--quiet", "--bare", ".", str(tmp_path / "remote"))
    typed("remote", "add", "upstream", f"file://{tmp_path / 'remote'}")
    typed("fetch", "--quiet", "upstream")
    typed("remote", "set-head", "upstream", "--auto")
    typed("switch", "--quiet", "--create", "ours")
    (tmp_path / "tree" / "mono" / "a.sql").write_text("second\n")
    typed("commit", "--quiet", "--all", "--message", "second")
    return typed


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("clone", ["", "--depth=1", "--filter=blob:none"])
def test_a_copy_has_the_commits_files_and_the_same_base_branch(clone: str, typed: Typed, tmp_path: Path) -> None:
    root = tmp_path / "tree" / "mono"
    if clone:
        typed("push", "--quiet", "upstream", "ours")
        typed("config", "uploadpack.allowFilter", "true", at=tmp_path / "remote")
        typed("config", "uploadpack.allowAnySHA1InWant", "true", at=tmp_path / "remote")
        where = f"file://{tmp_path / 'remote'}"
        typed("clone", "--quiet", "--no-single-branch", "--branch", "ours", clone, where, str(tmp_path / "clone"))
        root = tmp_path / "clone" / "mono"
    hooks = root.parent / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("post-checkout", "reference-transaction", "post-index-change"):
        (hooks / hook).write_text(f"#!/bin/sh\ntouch {tmp_path}/hooked\n")
        (hooks / hook).chmod(0o755)
    repository = git.find(root)
    assert repository is not None
    commit, base = repository.commit("HEAD"), repository.base()
    assert commit is not None
    assert base is not None
    (root / "a.sql").write_text("in the work tree\n")
    (root / "b.sql").write_text("untracked\n")
    before = everything(root.parent)
    with copied(repository, commit, base, tmp_path / "place") as there:
        assert {path.name: path.read_text() for path in there.iterdir()} == {"a.sql": "second\n"}
        copy = git.find(there)
        assert copy is not None
        assert (copy.commit("HEAD"), copy.base()) == (commit, base)
        assert copy.fork(base.commit) == repository.fork(base.commit)
        assert copy.changed(base.commit) == ({"a.sql"} if base.commit != commit else set())
    assert not (tmp_path / "place").exists()
    assert everything(root.parent) == before
    assert not (tmp_path / "hooked").exists()


def test_what_a_killed_run_has_left_is_written_over(typed: Typed, tmp_path: Path) -> None:
    repository = git.find(tmp_path / "tree" / "mono")
    assert repository is not None
    (tmp_path / "place" / ".git").mkdir(parents=True)
    (tmp_path / "place" / "left.sql").write_text("left")
    with copied(repository, typed("rev-parse", "HEAD"), None, tmp_path / "place") as there:
        assert [path.name for path in there.iterdir()] == ["a.sql"]
