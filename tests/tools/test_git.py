from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.errors import Refused, ToolError
from tools import git, shell
from tools.git import Base, Repository, remote
from tools.git import commit as recorder

NAME = ("-c", "user.name=Someone", "-c", "user.email=someone@example.com", "-c", "commit.gpgsign=false")
Git = Callable[..., str]


@pytest.fixture(name="typed")
def fixture_typed(tmp_path: Path) -> Git:
    """Types git commands in a work tree; the monorepo's root is its folder ``mono``."""

    def typed(*words: str, at: Path = tmp_path / "tree") -> str:
        done = subprocess.run(
            [shutil.which("git") or "git", *NAME, *words], cwd=at, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    (tmp_path / "tree" / "mono" / "a").mkdir(parents=True)
    typed("init", "--quiet", "--initial-branch", "main")
    return typed


@pytest.fixture(name="repository")
def fixture_repository(typed: Git, tmp_path: Path) -> Repository:
    root = tmp_path / "tree" / "mono"
    (root / "a" / "1_é b.sql").write_text("one\n")
    (root / "other.txt").write_text("other\n")
    (tmp_path / "tree" / "outside.txt").write_text("out\n")
    typed("add", "--all")
    typed("commit", "--quiet", "--message", "first")
    found = git.find(root)
    assert found
    return found


def test_a_folder_outside_git_has_no_repository(tmp_path: Path) -> None:
    assert git.find(tmp_path) is None


def test_without_git_there_is_no_repository(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert git.find(repository.root) is None


def test_a_repository_without_commits_has_no_base(typed: Git, tmp_path: Path) -> None:
    assert typed("status", "--porcelain") == ""
    found = git.find(tmp_path / "tree" / "mono")
    assert found
    assert found.base() is None


def test_without_a_remote_the_base_is_the_local_main(repository: Repository, typed: Git) -> None:
    assert repository.base() == Base(name="main", commit=typed("rev-parse", "HEAD"))


def test_the_remotes_branch_goes_before_the_local_one(repository: Repository, typed: Git, tmp_path: Path) -> None:
    typed("clone", "--quiet", "--bare", ".", str(tmp_path / "remote"))
    typed("remote", "add", "origin", str(tmp_path / "remote"))
    typed("fetch", "--quiet", "origin")
    first = typed("rev-parse", "HEAD")
    typed("commit", "--quiet", "--allow-empty", "--message", "not pushed")
    assert repository.base() == Base(name="origin/main", commit=first)


def test_the_remotes_default_branch_is_the_base_unless_another_is_named(
    repository: Repository, typed: Git, tmp_path: Path
) -> None:
    typed("branch", "trunk")
    typed("clone", "--quiet", "--bare", ".", str(tmp_path / "remote"))
    typed("symbolic-ref", "HEAD", "refs/heads/trunk", at=tmp_path / "remote")
    typed("clone", "--quiet", str(tmp_path / "remote"), str(tmp_path / "clone"))
    clone = Repository(tmp_path / "clone" / "mono")
    assert (clone.base() or Base("", "")).name == "origin/trunk"
    assert (clone.base("main") or Base("", "")).name == "origin/main"
    assert clone.base("nowhere") is None
    assert (repository.base("trunk") or Base("", "")).name == "trunk"


def test_files_at_a_commit_have_paths_below_the_root_and_gits_hash(repository: Repository) -> None:
    commit = repository.commit("HEAD") or ""
    files = repository.files(commit, "a")
    assert files == {"a/1_é b.sql": git.hashed(b"one\n", commit)}
    assert repository.text(commit, "a/1_é b.sql") == "one\n"
    assert repository.text(commit, "a/none.sql") is None
    assert repository.files(commit, "nowhere") == {}


def test_a_file_that_was_taken_away_was_there_once(repository: Repository, typed: Git) -> None:
    typed("rm", "--quiet", "-r", "mono/a")
    typed("commit", "--quiet", "--message", "gone")
    commit = repository.commit("HEAD") or ""
    assert repository.files(commit, "a") == {}
    assert repository.ever(commit, "a") == {"a/1_é b.sql"}


def test_a_file_that_came_in_by_a_merge_was_there_once(repository: Repository, typed: Git) -> None:
    typed("checkout", "--quiet", "-b", "side")
    (repository.root / "a" / "2_side.sql").write_text("two\n")
    typed("add", "--all")
    typed("commit", "--quiet", "--message", "side")
    typed("checkout", "--quiet", "main")
    typed("merge", "--quiet", "--no-ff", "--message", "merge", "side")
    assert "a/2_side.sql" in repository.ever(repository.commit("HEAD") or "", "a")


def test_what_a_branch_changed_counts_commits_edits_and_new_files_but_not_what_the_base_did_since(
    repository: Repository, typed: Git
) -> None:
    typed("checkout", "--quiet", "-b", "ours")
    (repository.root / "b").mkdir()
    (repository.root / "b" / "committed.sql").write_text("x")
    typed("add", "--all")
    typed("commit", "--quiet", "--message", "ours")
    typed("checkout", "--quiet", "main")
    (repository.root / "theirs.sql").write_text("x")
    typed("add", "--all")
    typed("commit", "--quiet", "--message", "theirs")
    typed("checkout", "--quiet", "ours")
    (repository.root / "a" / "1_é b.sql").write_text("edited\n")
    (repository.root / "new.sql").write_text("x")
    (repository.root.parent / "outside.txt").write_text("edited\n")
    assert repository.changed(repository.commit("main") or "") == {"b/committed.sql", "a/1_é b.sql", "new.sql"}


def test_what_git_refuses_is_an_error_with_its_words(repository: Repository) -> None:
    with pytest.raises(ToolError, match="git ls-tree failed"):
        repository.files("nothing", "a")


@pytest.mark.parametrize("folder", ["b", "up/a"])
def test_a_folder_behind_a_link_is_refused_for_git_would_see_it_empty(repository: Repository, folder: str) -> None:
    (repository.root / "b").symlink_to("a")
    (repository.root / "up").symlink_to(".")
    with pytest.raises(Refused, match="is reached by a symbolic link") as caught:
        repository.files("HEAD", folder)
    assert (caught.value.where, caught.value.todo.split()[-1]) == (folder, "a")
    assert list(repository.files("HEAD", "./a")) == ["a/1_é b.sql"]


def test_a_path_that_holds_a_password_is_told_whole(
    repository: Repository, typed: Git, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """``postgres://other:other@…`` is what many a server on loopback has."""
    monkeypatch.setattr(shell, "_secrets", {"other"})
    commit = typed("rev-parse", "HEAD")
    assert "other.txt" in repository.files(commit, ".")
    assert repository.ever(commit, ".") >= {"other.txt"}
    assert repository.text(commit, "other.txt") == "other\n"
    (repository.root / "other.txt").write_text("something else\n")
    assert repository.changed(commit) == {"other.txt"}
    typed("branch", "other")
    typed("remote", "add", "origin", str(tmp_path / "tree"))
    assert remote.of(repository).tip("other") == commit


def test_a_password_in_what_git_says_of_a_failure_is_hidden(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "_secrets", {"s3cret"})
    with pytest.raises(ToolError) as caught:
        repository.ask("rev-parse", "--verify", "s3cret")
    assert "s3cret" not in str(caught.value)
    assert "*****" in repository.run("ls-files", "--error-unmatch", "s3cret").err


def test_a_commit_is_made_where_its_changes_were_seen_whatever_repository_variables_name(
    repository: Repository, typed: Git, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in (("user.name", "Someone"), ("user.email", "someone@example.com")):
        typed("config", name, value)
    typed("clone", "--quiet", ".", str(tmp_path / "other"))
    before = typed("rev-parse", "HEAD", at=tmp_path / "other")
    (repository.root / "other.txt").write_text("changed\n")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    made = recorder.record(repository, recorder.changes(repository, ["other.txt"]), "subject", "")
    monkeypatch.undo()
    assert typed("rev-parse", "HEAD") == made
    assert typed("rev-parse", "HEAD", at=tmp_path / "other") == before
    assert not (tmp_path / "index").exists()
