"""What was applied is remembered, through crashes and beside other processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from schemas.errors import ServerError
from tools.journal import History, Journal, Record

HISTORY = History(place="gander:1", table="goose_db_version")


def _record(version: int, text: str = "x") -> Record:
    return Record(version=version, name=f"{version}_a.sql", sha256=text * 4, body=text.encode(), at="2026-01-01")


def test_a_journal_that_was_never_written_is_empty_and_makes_no_file(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    assert journal.records(HISTORY) == {}
    assert journal.begun(HISTORY) == {}
    assert not journal.path.exists()


def test_settling_makes_the_records_equal_to_what_the_database_holds(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    journal.settle(HISTORY, {1: _record(1), 2: _record(2)})
    journal.settle(HISTORY, {2: _record(2), 3: _record(3)})
    assert journal.records(HISTORY) == {2: _record(2), 3: _record(3)}
    assert journal.hashes(HISTORY) == {2: ("2_a.sql", "xxxx"), 3: ("3_a.sql", "xxxx")}


def test_a_begun_file_keeps_its_first_indexes_and_its_latest_text(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    journal.begin(HISTORY, [_record(1, "a")], ["public.i"])
    journal.begin(HISTORY, [_record(1, "b")], ["public.i", "public.made_by_the_first_run"])
    begun = journal.begun(HISTORY)[1]
    assert begun.record.body == b"b"
    assert begun.indexes == {"public.i"}


def test_what_was_begun_ends_when_it_is_applied_or_given_up(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    journal.begin(HISTORY, [_record(1), _record(2), _record(3)], [])
    journal.settle(HISTORY, {1: _record(1)}, given_up=[2])
    assert list(journal.begun(HISTORY)) == [3]


def test_databases_and_tables_do_not_mix(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    other_table = History(place=HISTORY.place, table="other")
    other_place = History(place="gander:2", table=HISTORY.table)
    for history in (HISTORY, other_table, other_place):
        journal.settle(history, {1: _record(1)})
    journal.settle(HISTORY, {})
    assert journal.records(HISTORY) == {}
    assert set(journal.records(other_table)) == {1}
    journal.forget("gander:2")
    assert journal.records(other_place) == {}


def _write(path: Path, place: str, count: int) -> None:
    journal = Journal(path)
    for version in range(1, count + 1):
        journal.begin(History(place=place, table="t"), [_record(version)], [])


def test_four_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    path = tmp_path / "j.db"
    writers = [context.Process(target=_write, args=(path, f"p{number}", 40)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert [len(Journal(path).begun(History(place=f"p{number}", table="t"))) for number in range(4)] == [40] * 4


def _write_and_die(path: Path) -> None:
    _write(path, "p", 20)
    os.kill(os.getpid(), signal.SIGKILL)


def test_what_was_written_survives_kill_9(tmp_path: Path) -> None:
    writer = multiprocessing.get_context("spawn").Process(target=_write_and_die, args=(tmp_path / "j.db",))
    writer.start()
    writer.join()
    assert writer.exitcode == -signal.SIGKILL
    assert len(Journal(tmp_path / "j.db").begun(History(place="p", table="t"))) == 20


def test_a_damaged_journal_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(ServerError, match=r"journal of applied migrations cannot be used[\s\S]*not a database"):
        Journal(path).records(HISTORY)


def test_a_connection_that_is_kept_open_serves_every_call_and_shows_others_what_it_wrote(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    journal, other = Journal(path), Journal(path)
    with journal.kept_open():
        assert journal.records(HISTORY) == {}
        assert not path.exists()
        journal.begin(HISTORY, [Record(version=1, name="1_a.sql", sha256="a", body=b"", at="")], [])
        other.settle(HISTORY, {}, given_up=[1])
        assert journal.begun(HISTORY) == {}
    journal.begin(HISTORY, [Record(version=2, name="2_b.sql", sha256="b", body=b"", at="")], [])
    assert list(other.begun(HISTORY)) == [2]
