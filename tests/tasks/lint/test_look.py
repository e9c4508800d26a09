"""Findings are kept: what was looked at once is not parsed again, and the findings are the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.lint.gather import gather
from tasks.lint.look import Looked, look
from tasks.lint.record import Records
from tests.tasks.lint.conftest import database

FOLDER = "services/shop/migrations"
BAD = "-- +goose Up\nCREATE TYPE mood{n} AS ENUM ('a');\nSET lock_timeout = '1s';\n-- +goose Down\nSELECT 1;\n"


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    found = Records(tmp_path / "lint.db")
    yield found
    found.close()


def write(root: Path, number: int, text: str = BAD) -> None:
    path = root / FOLDER / f"2026010{number}000000_a.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace("{n}", str(number)))


def seen(root: Path, records: Records) -> Looked:
    return look(gather(root, database(migrations=FOLDER), "services/shop", None, None), records)


def test_a_second_look_parses_nothing_and_finds_the_same(tmp_path: Path, records: Records) -> None:
    for number in (1, 2, 3):
        write(tmp_path, number)
    first, second = seen(tmp_path, records), seen(tmp_path, records)
    assert (first.parsed, second.parsed) == (3, 0)
    assert first.findings == second.findings
    assert len(first.findings) == 6


def test_one_changed_file_costs_one_file(tmp_path: Path, records: Records) -> None:
    for number in (1, 2, 3):
        write(tmp_path, number)
    seen(tmp_path, records)
    write(tmp_path, 3, BAD + "-- more\n")
    assert seen(tmp_path, records).parsed == 1
    write(tmp_path, 4, "-- +goose Up\nSELECT 1;\n-- +goose Down\nDROP TYPE mood2;\n")
    looked = seen(tmp_path, records)
    assert looked.parsed == 1
    assert looked.findings[-1].message == "A rollback drops the type mood2, which a file before has made."


def test_a_broken_file_of_records_only_costs_time(tmp_path: Path) -> None:
    write(tmp_path, 1)
    (tmp_path / "lint.db").write_text("no database")
    found = Records(tmp_path / "lint.db")
    assert seen(tmp_path, found).parsed == 1
    found.close()
