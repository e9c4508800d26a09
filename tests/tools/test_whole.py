"""Files that are whole or not there, also while several write and after one was killed."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tools import whole


def test_a_file_is_made_once_and_never_replaced(tmp_path: Path) -> None:
    whole.create(tmp_path / "a.sql", "one")
    with pytest.raises(FileExistsError):
        whole.create(tmp_path / "a.sql", "two")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.sql": "one"}


def test_a_file_is_replaced_by_one_of_the_asked_mode(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("old")
    whole.replace(file, "new", 0o600)
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("new", 0o600)


def test_what_a_killed_writer_left_is_taken_away_and_what_others_write_is_not(tmp_path: Path) -> None:
    left, named_alike = tmp_path / ".a.sql.12-12.part", tmp_path / "a.sql.12-12.part"
    left.write_text("hal")
    named_alike.write_text("somebody's own")
    with whole.beside(tmp_path / "b.sql", "b") as part:
        whole.replace(tmp_path / "c.sql", "c")
        assert part.read_text() == "b"
    assert {path.name for path in tmp_path.iterdir()} == {named_alike.name, "c.sql"}


def test_many_may_write_one_file_at_once(tmp_path: Path) -> None:
    file, texts = tmp_path / "schema.prisma", [letter * 10_000 for letter in "abcdefgh"]
    with ThreadPoolExecutor() as pool:
        for _ in range(2):
            list(pool.map(lambda text: whole.replace(file, text), texts))
            assert file.read_text() in texts
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_is_not_there_is_the_writers_error(tmp_path: Path) -> None:
    whole.sweep(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError):
        whole.replace(tmp_path / "nowhere" / "a", "a")
