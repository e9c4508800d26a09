"""A disk without room: one clear error that says so, nothing lost, and the next run finishes once there is room."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults import monorepo, mounts, processes
from tests.faults.monorepo import ANT, Monorepo, refused
from tests.faults.mounts import mount, unmount

FILL = """-- +goose Up
CREATE TABLE heap (id BIGINT PRIMARY KEY, filling TEXT NOT NULL);
ALTER TABLE heap ALTER COLUMN filling SET STORAGE EXTERNAL;
INSERT INTO heap SELECT n, repeat('0123456789', 8000) FROM generate_series(1, 1500) n;
INSERT INTO ran VALUES (20260105000000);
"""
FILL_FILE = "20260105000000_fill"
ROOM = 900  # MB, for everything

Resize = Callable[[int], None]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[tuple[Monorepo, Resize]]:
    """A monorepo on a small file system of its own, and a function that gives it that many MB."""
    mounts.needed()
    place = tmp_path / "monorepo"
    place.mkdir()
    mount("-t", "tmpfs", "-o", f"size={ROOM}m,mode=755", "tmpfs", place)

    def resize(megabytes: int) -> None:
        mount("-o", f"remount,size={megabytes}m", place)

    one = monorepo.build(place, (ANT,), rows=1000, pause=0)
    yield one, resize
    resize(ROOM)
    one.doit("stop")
    left = processes.gone(one.root)
    unmount(place)
    assert left == []


def used(one: Monorepo) -> int:
    """The MB that are in use on the monorepo's file system."""
    status = os.statvfs(one.root)
    return (status.f_blocks - status.f_bfree) * status.f_frsize >> 20


@pytest.mark.parametrize("megabytes", [0, 1, 8, 30])
def test_no_room_for_the_data_directory(disk: tuple[Monorepo, Resize], megabytes: int) -> None:
    one, resize = disk
    if megabytes:
        resize(megabytes)
    else:
        fill(one)
    done = one.doit("migrate")
    refused(done, "space")
    (one.root / "filler").unlink(missing_ok=True)
    resize(ROOM)
    done = one.doit("migrate")
    assert done.code == 0, done.err
    one.whole((ANT,))


@pytest.mark.parametrize("room", [20, 60, 100, 150])
def test_a_migration_that_fills_the_disk(disk: tuple[Monorepo, Resize], room: int) -> None:
    one, resize = disk
    assert one.doit("migrate").code == 0
    assert processes.gone(one.root) == []
    before = rows(one)
    assert processes.gone(one.root) == []
    one.add(ANT, FILL_FILE, FILL)
    resize(used(one) + room)
    done = one.doit("migrate")
    refused(done, "space")
    again = one.doit("migrate")
    refused(again, "space")
    resize(ROOM)
    done = one.doit("migrate")
    assert (done.code, done.finished) == (0, {f"migrate:{ANT}"}), done.err
    assert rows(one) == before
    assert one.doit("status").code == 0


def rows(one: Monorepo) -> object:
    """What the first migrations made."""
    with one.server() as server, one.connect(server) as own:
        query = "SELECT count(*), sum(size), sum(twice), count(note), (SELECT count(*) FROM parts) FROM things"
        return own.execute(query).fetchone()


def fill(one: Monorepo) -> None:
    """Take the last byte of the file system."""
    with (one.root / "filler").open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 65536):
                pass
        except OSError:
            return
