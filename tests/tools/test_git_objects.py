"""Objects of a real repository, read by one git, beside what git's own commands say of the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.errors import ToolError
from tests.playground import SETTINGS, git
from tools.git import history
from tools.git.objects import Kept, objects
from tools.git.repository import Repository

FILE = "services/cart/values.yaml"


@pytest.fixture(name="root")
def fixture_root(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    for name, value in SETTINGS.items():
        git(root, "config", name, value)
    return root


def commit(root: Path, message: str = "as it is", **files: str) -> str:
    for name, text in files.items():
        file = root / name.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(root, "rev-parse", "HEAD").strip()


def test_what_a_commit_holds_is_what_git_lists(root: Path) -> None:
    at = commit(root, a="1\n", mono__b="2\n", mono__deep__c="3\n")
    (root / "mono" / "link").symlink_to("b")
    at = commit(root)
    with objects(root / "mono") as there:
        assert there.prefix == "mono/"
        listed = {name: entry.hash for name, entry in there.folder(at, ".").items() if entry.mode != "040000"}
        told = git(root / "mono", "ls-tree", at, ".").splitlines()
        assert listed == {line.split("\t")[1]: line.split()[2] for line in told if " blob " in line}
        assert there.entry(at, "link") != there.entry(at, "b")
        assert there.files([listed["b"]]) == {listed["b"]: b"2\n"}
        assert there.entry(at, "/a") == there.entry(at, "../a")
        assert there.entry(at, "a") is None
        assert there.entry(at, "b/a") is None
        assert dict(there.folder(at, "nowhere")) == {}
        assert len(list(there.below(at, "/"))) == 4


def test_what_is_not_there_is_no_commit_and_no_file_and_git_goes_on(root: Path) -> None:
    at = commit(root, a="1\n", b="22\n")
    with objects(root) as there:
        assert there.commit("f" * 40) is None
        with pytest.raises(ToolError, match="git cannot give a file of the commit"):
            there.files(["f" * 40])
        with pytest.raises(ToolError, match="lies outside"):
            there.entry(at, "../a")
        with pytest.raises(ToolError, match="git has no such commit"):
            there.entry("f" * 40, "a")
        both = [entry.hash for entry in there.folder(at, ".").values()]
        assert list(there.files(both, 2).values()) == [b"1\n"], "the other is larger"
        assert list(there.files(both).values()) == [b"1\n", b"22\n"]


def test_more_files_than_a_pipe_holds_names_are_read(root: Path) -> None:
    at = commit(root, **{f"f{number}": f"{number}" * 99 for number in range(1200)})
    with objects(root) as there:
        hashes = [entry.hash for entry in there.folder(at, ".").values()]
        assert len(there.files(hashes)) == 1200


def test_a_git_that_was_killed_is_an_error_and_the_next_question_starts_another(root: Path) -> None:
    at = commit(root, a="1\n")
    with objects(root) as there:
        assert there.entry(at, "a")
        assert there._git is not None
        there._git._child.kill()
        there._git._child.wait()
        with pytest.raises(ToolError, match="git ended before it had answered"):
            there.commit("f" * 40)
        assert there.commit("f" * 40) is None


def test_what_is_kept_stays_until_it_is_closed(root: Path) -> None:
    at, kept = commit(root, a="1\n"), Kept()
    with objects(root) as there:
        assert there.entry(at, "a")
    with objects(root) as again:
        assert again is there
        new = commit(root, a="2\n")
        assert again.entry(new, "a"), "a commit that was made since"
    kept.close()
    with objects(root) as other:
        assert other is not there


def grown(root: Path, seed: int) -> Iterator[str]:
    """A history with branches and merges, in which texts come and go."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    for number in range(12):
        text = f"image: {chance.choice('abc') * 3}\n" * chance.randint(1, 2)
        message = f"promote\n\nImage: {text.split()[1]}\nCommit: {number}"
        if chance.random() < 0.3:
            git(root, "switch", "--quiet", "--create", f"side{number}")
            commit(
                root, message, **({"services__cart__values.yaml": text} if chance.random() < 0.6 else {"o": message})
            )
            git(root, "switch", "--quiet", "main")
            if chance.random() < 0.5:
                commit(root, message, other=f"{number}")
            git(
                root,
                "merge",
                "--quiet",
                "--no-edit",
                "--no-ff",
                "-X",
                chance.choice(["ours", "theirs"]),
                f"side{number}",
            )
        elif chance.random() < 0.6:
            commit(root, message, **{"services__cart__values.yaml": text})
        else:
            commit(root, "of somebody else", other=f"{number}")
        yield git(root, "rev-parse", "HEAD").strip()


@pytest.mark.parametrize("seed", [1, 2])
def test_histories_are_read_as_git_reads_them(root: Path, seed: int) -> None:
    commit(root, first="of all")
    repository, found, tips = Repository(root), 0, list(grown(root, seed))
    every = git(root, "rev-list", "--all").split()
    with objects(root) as there:
        for tip in tips:
            reachable = set(git(root, "rev-list", tip).split())
            assert {one for one in every if history.within(there, one, tip)} == reachable
            for text in ("aaa", "bbb", "ccc", "image: aaa\nimage"):
                one = history.brought(there, tip, FILE, text)
                if one is not None:
                    found += 1
                    assert one.hash == git(root, "log", "-1", "--format=%H", f"-S{text}", tip, "--", FILE).strip()
        assert all(repository.within(one, tips[-1]) for one in tips)
    assert found > len(tips), "most of them need no other git"


@pytest.mark.parametrize(
    "message",
    [
        "one\n\nImage: a\nCommit: b",
        "one\n\nbody\n\nImage: a\nimage: c\nOther-thing: x",
        "Image: a",
        "one\n\nImage: a\n folded",
        "one\n\nImage: a\nno trailer",
        "one\n\nImage:a\nCommit:  b ",
        "one\n\nImage: a\n\n",
        "one\nImage: a",
        "one\n\n(cherry picked from commit abc)\nImage: a",
        "one\n\nSee: https://example.com\nhttps://example.com\nImage: a",
    ],
)
def test_trailers_are_read_as_git_reads_them(root: Path, message: str) -> None:
    at = commit(root, message, a="1\n")
    told = git(root, "log", "-1", "--format=%(trailers:key=Image,valueonly)", at).strip()
    with objects(root) as there:
        found = there.commit(at)
        assert found
        assert history.trailer(found, "Image") in {told, None}
        if message.startswith("one\n\nImage: a\nCommit"):
            assert history.trailer(found, "Image") == "a"


def test_a_shallow_clone_is_left_to_git(root: Path, tmp_path: Path) -> None:
    commit(root, "one\n\nImage: a", **{"services__cart__values.yaml": "image: a\n"})
    commit(root, other="1")
    clone = tmp_path / "clone"
    git(root, "clone", "--quiet", "--depth=1", f"file://{root}", str(clone))
    tip = git(clone, "rev-parse", "HEAD").strip()
    with objects(clone) as there:
        assert history.brought(there, tip, FILE, "image: a") is None
    assert Repository(clone).trailer("Image", tip, "a", FILE) == ""
