"""Which files of a monorepo are looked at: git's where there is git, all others; never what lies outside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.journeys.conftest import Monorepo
from tools import tree


@pytest.fixture(name="root")
def fixture_root(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    for path in (
        "a/migrations/1_a.sql",
        "a/node_modules/x/1_x.sql",
        "a/dist/1_x.sql",
        "a/secret.log",
        "gander/services/b/migrations/1_b.sql",
        ".hidden/1_h.sql",
    ):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    (root / ".gitignore").write_text("*.log\n")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "1_o.sql").write_text("o")
    (root / "a" / "in").symlink_to("migrations")
    (root / "a" / "out").symlink_to(tmp_path / "outside")
    (root / "a" / "loop").symlink_to("..")
    (root / "a" / "self").symlink_to("self")
    return root


def test_without_git_every_folder_is_walked_but_those_that_programs_fill(root: Path) -> None:
    found = tree.look(root)
    assert found.files == (
        ".gitignore",
        "a/migrations/1_a.sql",
        "a/secret.log",
        "gander/services/b/migrations/1_b.sql",
    )
    assert found.links == {"a/in": "a/migrations"}
    assert not found.cut


def test_with_git_what_it_ignores_is_left_out_and_new_files_are_not(root: Path) -> None:
    Monorepo(root=root).commit()
    (root / "a" / "migrations" / "2_new.sql").write_text("new")
    (root / "a" / "migrations" / "1_a.sql").unlink()
    found = tree.look(root)
    assert found.files == (".gitignore", "a/migrations/2_new.sql", "gander/services/b/migrations/1_b.sql")
    assert found.links == {"a/in": "a/migrations"}


def test_a_folder_apart_is_left_out(root: Path) -> None:
    assert not [path for path in tree.look(root, apart=[root / "gander"]).files if path.startswith("gander")]
    Monorepo(root=root).commit()
    assert not [path for path in tree.look(root, apart=[root / "gander"]).files if path.startswith("gander")]


def test_more_files_than_are_looked_at_is_said(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MOST", 2)
    found = tree.look(root)
    assert len(found.files) == 2
    assert found.cut == "only the first 2 files were looked at"


def test_only_the_head_of_a_plain_file_is_read(root: Path) -> None:
    found = tree.look(root)
    os.mkfifo(root / "pipe")
    assert found.head("a/migrations/1_a.sql", 5) == b"a/mig"
    assert found.head("pipe", 5) == found.head("a/self", 5) == found.head("gone", 5) == found.head("a", 5) == b""
