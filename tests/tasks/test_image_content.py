"""What an image holds at a commit, and its name: by git alone, whatever lies in the work tree."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from schemas import catalog_file
from schemas.catalog import Catalog
from schemas.errors import Refused, StreamError
from schemas.image import Content, identity
from schemas.stream import of
from tasks import image
from tasks.image import content as source

NAME = ("-c", "user.name=Someone", "-c", "user.email=someone@example.com", "-c", "commit.gpgsign=false")
SERVICES = """version: 1
image: {repository: "registry.example.com/{service}"}
services:
  one: {databases: {main: {engine: postgres, name: one}}}
  two:
    databases:
      left: {engine: postgres, name: l}
      right: {engine: postgres, name: r}
      other: {owner: one/main}
"""
Typed = Callable[..., str]


@pytest.fixture(name="git")
def fixture_git(tmp_path: Path) -> Typed:
    def typed(*words: str) -> str:
        done = subprocess.run(
            [shutil.which("git") or "git", *NAME, *words], cwd=tmp_path, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    return typed


@pytest.fixture(name="root")
def fixture_root(git: Typed, tmp_path: Path) -> Path:
    """A monorepo in a folder of a repository, committed."""
    root = tmp_path / "mono"
    for folder, name in (("one", "1_a.sql"), ("two/left", "1_b.sql"), ("two/right", "1_c.sql")):
        service, _, database = folder.partition("/")
        place = root / "services" / service / "migrations" / database
        place.mkdir(parents=True)
        (place / name).write_bytes(f"-- {folder}\r\n".encode())
    (root / "services" / "one" / "migrations" / "README.md").write_text("no migration")
    (root / "services.yaml").write_text(SERVICES)
    git("init", "--quiet", "--initial-branch", "main")
    git("add", "--all")
    git("commit", "--quiet", "--message", "first")
    return root


def catalog(root: Path) -> Catalog:
    return catalog_file.load(root / "services.yaml")


def test_one_database_lies_in_migrations_and_several_in_folders_of_their_own(root: Path) -> None:
    assert dict(source.content(catalog(root), "one").files) == {"/migrations/1_a.sql": b"-- one\r\n"}
    assert dict(source.content(catalog(root), "two").files) == {
        "/migrations/left/1_b.sql": b"-- two/left\r\n",
        "/migrations/right/1_c.sql": b"-- two/right\r\n",
    }


def test_the_name_is_the_same_on_another_clone_with_other_line_ends_and_a_dirty_tree(
    root: Path, git: Typed, tmp_path: Path
) -> None:
    before = image.identity(catalog(root), "one")
    assert before.reference == f"registry.example.com/one:{before.tag}"
    assert before.tag.startswith("m-")
    assert len(before.tag) == 18
    git("-c", "core.autocrlf=true", "clone", "--quiet", "--depth", "1", f"file://{tmp_path}", str(tmp_path / "clone"))
    clone = tmp_path / "clone" / "mono"
    (clone / "services" / "one" / "migrations" / "1_a.sql").write_text("edited")
    (clone / "services" / "one" / "migrations" / "2_new.sql").write_text("new")
    assert image.identity(catalog(clone), "one") == before


def test_a_changed_file_gives_another_name_to_its_service_alone(root: Path, git: Typed) -> None:
    one, two = (image.identity(catalog(root), name) for name in ("one", "two"))
    (root / "services" / "one" / "migrations" / "1_a.sql").write_text("edited")
    git("commit", "--quiet", "--all", "--message", "edited")
    assert image.identity(catalog(root), "one") != one
    assert image.identity(catalog(root), "two") == two
    assert image.identity(catalog(root), "one", "HEAD~1") == one


def test_platforms_and_what_else_is_in_it_are_part_of_the_name() -> None:
    held = Content(service="one", streams={"main": of({"1_a.sql": b"a"}, "migrations").migrations})
    names = {
        identity("r", held, ["linux/amd64"], "x").tag,
        identity("r", held, ["linux/amd64", "linux/arm64"], "x").tag,
        identity("r", held, ["linux/amd64"], "y").tag,
        identity("r", Content(service="two", streams=held.streams), ["linux/amd64"], "x").tag,
        identity("r", replace(held, base="h.example/a@sha256:1"), ["linux/amd64"], "x").tag,
        identity("r", replace(held, base="h.example/a@sha256:2"), ["linux/amd64"], "x").tag,
        identity("r", replace(held, base="another.example/b:v1@sha256:2"), ["linux/amd64"], "x").tag,
        identity("r", Content(service="one", streams={"other": held.streams["main"]}), ["linux/amd64"], "x").tag,
    }
    assert len(names) == 7, "of a base its digest counts, not where it lies"


def test_the_folders_are_those_of_the_commits_own_services_yaml(root: Path, git: Typed) -> None:
    before = source.content(catalog(root), "one").files
    git("mv", "mono/services/one/migrations", "mono/services/one/sql")
    text = SERVICES.replace("engine: postgres, name: one", "engine: postgres, name: one, migrations: services/one/sql")
    (root / "services.yaml").write_text(text)
    git("commit", "--quiet", "--all", "--message", "moved")
    assert source.content(catalog(root), "one").files == before
    assert source.content(catalog(root), "one", "HEAD~1").files == before


def test_a_service_that_the_commit_does_not_have_yet_is_refused(root: Path) -> None:
    text = SERVICES + "  three: {databases: {main: {engine: postgres, name: three}}}\n"
    (root / "services.yaml").write_text(text)
    (root / "services" / "three" / "migrations").mkdir(parents=True)
    with pytest.raises(Refused, match="three has no database of its own at"):
        image.identity(catalog(root), "three")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("2_lfs.sql", "version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "is kept by Git LFS"),
        ("2_big.sql", "-" * (17 << 20), "is longer than 16 MiB"),
        ("1_same.sql", "x", "has version 1, as 1_a.sql has"),
        ("x_no_version.sql", "x", "goose takes no version from its name"),
        ("2_code.go", "package x", "a migration in Go"),
    ],
)
def test_what_goose_or_the_image_could_not_have_is_refused(
    name: str, text: str, said: str, root: Path, git: Typed
) -> None:
    (root / "services" / "one" / "migrations" / name).write_text(text)
    git("add", "--all")
    git("commit", "--quiet", "--message", "more")
    with pytest.raises(StreamError) as caught:
        image.identity(catalog(root), "one")
    assert said in caught.value.why
    assert name in caught.value.why
    image.identity(catalog(root), "two")


def test_a_commit_that_a_shallow_clone_lacks_is_refused_with_the_way_to_get_it(
    root: Path, git: Typed, tmp_path: Path
) -> None:
    first = git("rev-parse", "HEAD")
    git("commit", "--quiet", "--allow-empty", "--message", "second")
    git("clone", "--quiet", "--depth", "1", f"file://{tmp_path}", str(tmp_path / "clone"))
    with pytest.raises(Refused, match="there is no commit") as caught:
        image.identity(catalog(tmp_path / "clone" / "mono"), "one", first)
    assert "git fetch --unshallow" in caught.value.todo
    assert image.identity(catalog(root), "one", first)


def test_without_git_or_a_commit_there_is_no_image(root: Path, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / ".git")
    with pytest.raises(Refused, match="is in no git repository"):
        image.identity(catalog(root), "one")
    subprocess.run([shutil.which("git") or "git", "init", "--quiet"], cwd=tmp_path, check=True)
    with pytest.raises(Refused, match="there is no commit `HEAD`"):
        image.identity(catalog(root), "one")
