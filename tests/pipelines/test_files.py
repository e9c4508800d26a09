from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipelines import files
from pipelines.files import Files
from schemas.errors import GanderError


class Memory:
    """Looks that are kept for the length of a test, and counted."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[str, int, str]] = {}

    def look(self, folder: str) -> tuple[str, int, str] | None:
        return self.kept.get(folder)

    def remember(self, folder: str, signature: str, looked: int, digest: str) -> None:
        self.kept[folder] = (signature, looked, digest)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "migrations"
    (made / "deeper").mkdir(parents=True)
    (made / "01.sql").write_text("select 1;")
    (made / "deeper" / "02.sql").write_text("select 2;")
    return made


def digest(folder: Path, memory: Memory | None = None) -> str:
    return Files(memory or Memory()).digest(folder)


def settle(memory: Memory, folder: Path) -> None:
    """Pretend that the last look was long after the last write."""
    signature, looked, known = memory.kept[str(folder)]
    memory.kept[str(folder)] = (signature, looked + files.SETTLED + 1, known)


def test_the_same_content_elsewhere_has_the_same_digest(folder: Path, tmp_path: Path) -> None:
    first = digest(folder)
    assert digest(folder.rename(tmp_path / "elsewhere")) == first


def test_touching_changes_nothing(folder: Path) -> None:
    memory = Memory()
    first = digest(folder, memory)
    settle(memory, folder)
    os.utime(folder / "01.sql", (1, 1))
    assert digest(folder, memory) == first


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "01.sql").write_text("select 3;"),
        lambda folder: (folder / "03.sql").write_text(""),
        lambda folder: (folder / "01.sql").unlink(),
        lambda folder: (folder / "01.sql").rename(folder / "00.sql"),
        lambda folder: (folder / "deeper" / "02.sql").write_text("select 1;"),
        lambda folder: (folder / "link").symlink_to("01.sql"),
        lambda folder: (folder / "link").symlink_to("nowhere"),
    ],
    ids=["edited", "added", "removed", "renamed", "edited below", "a link", "a link to nothing"],
)
def test_a_change_of_content_is_seen(folder: Path, change: object) -> None:
    memory = Memory()
    first = digest(folder, memory)
    settle(memory, folder)
    assert callable(change)
    change(folder)
    assert digest(folder, memory) != first


def test_an_edit_that_keeps_size_and_time_is_seen(folder: Path) -> None:
    memory = Memory()
    first = digest(folder, memory)
    settle(memory, folder)
    before = (folder / "01.sql").stat()
    (folder / "01.sql").write_text("select 9;")
    os.utime(folder / "01.sql", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert digest(folder, memory) != first


def test_edits_between_quick_looks_are_never_missed(folder: Path) -> None:
    memory, seen = Memory(), set()
    for number in range(50):
        (folder / "01.sql").write_text(f"select {number:03};")
        seen.add(digest(folder, memory))
    assert len(seen) == 50


def test_equal_stats_save_reading_once_files_are_settled(folder: Path) -> None:
    memory = Memory()
    digest(folder, memory)
    signature, looked, _ = memory.kept[str(folder)]
    memory.kept[str(folder)] = (signature, looked + files.SETTLED + 1, "as remembered")
    assert digest(folder, memory) == "as remembered"
    memory.kept[str(folder)] = (signature, looked, "as remembered while young")
    assert digest(folder, memory) != "as remembered while young"


def test_a_folder_is_looked_at_once_a_run_until_told_to_look_again(folder: Path) -> None:
    known = Files(Memory())
    first = known.digest(folder)
    (folder / "01.sql").write_text("changed")
    assert known.digest(folder) == first
    known.forget()
    assert known.digest(folder) != first


def test_nothing_and_an_empty_folder_have_digests_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert digest(tmp_path / "nowhere") == "missing"
    assert digest(tmp_path / "empty") == "empty"


def test_links_in_a_circle_end(folder: Path) -> None:
    (folder / "deeper" / "up").symlink_to(folder)
    assert digest(folder)


def test_an_unreadable_file_is_a_clear_error(folder: Path) -> None:
    (folder / "03.sql").symlink_to("03.sql")  # not even root can read a link to itself
    with pytest.raises(GanderError, match="cannot be read"):
        digest(folder)


def test_a_file_may_stand_for_itself(folder: Path) -> None:
    assert digest(folder / "01.sql") != digest(folder / "deeper" / "02.sql")
