"""Files that nobody should write: a finding or nothing, within seconds, and never a traceback."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.catalog import EngineName
from schemas.stream import Migration
from tasks.lint.check import check, check_along, check_stream
from tasks.lint.finding import Finding
from tasks.lint.gather import gather
from tasks.lint.reading import Readings, files
from tasks.lint.rule import rules
from tasks.lint.schema import Schema
from tests.tasks.lint.conftest import database
from tools.clickhouse.syntax import Parser

CORPUS = sorted((Path(__file__).parents[2] / "schemas" / "goose_corpus").glob("*.sql"))
ENGINES: tuple[EngineName, ...] = ("postgres", "clickhouse")
UP, DOWN = "-- +goose Up\n", "\n-- +goose Down\nSELECT 1;\n"
SECONDS = 20.0  # of this process's own time, on a slow machine; the longest takes about six

COLUMNS = ",".join(f"c{n}_id UUID" for n in range(5000))
HOSTILE: dict[str, bytes] = {
    "10 MB of values": (
        UP + "INSERT INTO t VALUES\n" + ",\n".join(["('" + "x" * 100 + "')"] * 100_000) + ";" + DOWN
    ).encode(),
    "a line of 4 MiB": f"{UP}SELECT '{'x' * 4 * 1024 * 1024}';{DOWN}".encode(),
    "a line of 1 MB": f"{UP}-- {'x' * 1_000_000}\nSELECT 1;{DOWN}".encode(),
    "5,000 statements": (UP + "".join(f"CREATE TABLE t{n} (id TEXT);\n" for n in range(5000)) + DOWN).encode(),
    "5,000 mistakes": (UP + "CREATE TABEL x (;\n" * 5000 + DOWN).encode(),
    "2,500 bodies that never end": (UP + "CREATE FUNCTION f() BEGIN ATOMIC\nSELECT 1;\n" * 2500 + DOWN).encode(),
    "a string that is never closed": (UP + "SELECT 'a;\n" + "SELECT 1;\n" * 5000 + DOWN).encode(),
    "a dollar quote that is never closed": (UP + "DO $$ a;\n" + "SELECT 1;\n" * 5000 + DOWN).encode(),
    "deep brackets": f"{UP}SELECT {'(' * 9000}1{')' * 9000};{DOWN}".encode(),
    "a deep expression": f"{UP}SELECT {'1+' * 20_000}1;{DOWN}".encode(),
    "a table of 5,000 columns": (UP + f"CREATE TABLE t ({COLUMNS});" + DOWN).encode(),
    "every byte": bytes(range(256)) * 4000,
    "every byte after Up": UP.encode() + bytes(range(256)) * 4000 + DOWN.encode(),
    "5,000 wrong annotations": (UP + "-- +goose x\n" * 5000).encode(),
    "NULs": f"{UP}SELECT '\0\0';{DOWN}".encode(),
    "half a character": f"{UP}SELECT '".encode() + b"\xf0\x9f';" + DOWN.encode(),
    "dollars for ENVSUB": f"-- +goose ENVSUB ON\n{UP}SELECT '{'${A:-' * 500}';{DOWN}".encode(),
    "5,000 waivers": (UP + "-- lint:allow\n" * 5000 + "SELECT 1;" + DOWN).encode(),
    "nothing": b"",
}


def found_in(data: bytes, engine: EngineName, parser: Parser | None) -> list[Finding]:
    readings = Readings(parser)
    migration = Migration(version=1, name="1_a.sql", path="m/1_a.sql", sha256="", data=data)
    (file,) = files([migration], database(engine), readings)
    readings.looked_at = (file,)
    found = check(file, rules(engine, "file", "statements"))
    return found + check_along(file, rules(engine, "catalogue"), Schema(), new=True)


def sound(found: list[Finding], data: bytes) -> None:
    """Each finding has a place that is there, and words that can be shown."""
    lines = data.count(b"\n") + 1
    for one in found:
        assert 1 <= one.line <= lines
        assert one.column >= 1
        assert len(one.excerpt) <= 160
        assert (one.message + one.instead + one.excerpt).encode()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_judged_within_seconds(name: str, engine: EngineName, parser: Parser) -> None:
    began = time.process_time()
    found = found_in(HOSTILE[name], engine, parser)
    assert time.process_time() - began < SECONDS
    sound(found, HOSTILE[name])


def test_what_clickhouse_finds_too_deep_is_no_statement_of_postgresql(parser: Parser) -> None:
    assert {one.code for one in found_in(HOSTILE["deep brackets"], "clickhouse", parser)} == {"GS22"}


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_a_file_that_is_hard_for_goose_is_judged(path: Path, parser: Parser) -> None:
    for engine in ENGINES:
        sound(found_in(path.read_bytes(), engine, parser), path.read_bytes())


PIECES = st.sampled_from(
    [
        *("-- +goose Up\n", "-- +goose Down\n", "-- +goose StatementBegin\n", "-- +goose StatementEnd\n"),
        *("-- +goose NO TRANSACTION\n", "-- +goose ENVSUB ON\n", "-- lint:allow GS01 x until=2030-01-01\n"),
        *("CREATE TABLE a (id TEXT", " PRIMARY KEY", " REFERENCES b", ")", ";\n", "; ", "'", "$$", "/*", "*/", "--"),
        *("ALTER TABLE a ADD COLUMN b INT", "DROP TABLE a", "CREATE INDEX ON a (b)", "BEGIN", "COMMIT", "SET x = 1"),
        *("ALTER TABLE a RENAME TO c", "DO $$ BEGIN END $$", "${X}", "$1", "\n", "\t", "é", "漢", "\r", "\0"),
    ]
)


@pytest.mark.parametrize("engine", ENGINES)
@given(
    st.one_of(st.binary(), st.text().map(str.encode), st.lists(PIECES, max_size=40).map(lambda p: "".join(p).encode()))
)
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_judged(engine: EngineName, data: bytes) -> None:
    sound(found_in(data, engine, None), data)


def test_what_is_no_file_of_the_monorepo_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "root" / "m"
    folder.mkdir(parents=True)
    (tmp_path / "secret.sql").write_text("-- +goose Up\nSELECT 'secret';\n")
    (folder / "20260101000000_out.sql").symlink_to(tmp_path / "secret.sql")
    (folder / "20260102000000_nowhere.sql").symlink_to(tmp_path / "nowhere")
    (folder / "20260103000000_loop.sql").symlink_to(folder / "20260103000000_loop.sql")
    (folder / "20260104000000_folder.sql").mkdir()
    stream = gather(tmp_path / "root", database(), ".", None, None)
    found = check_stream(stream, rules("postgres", "git", "stream"))
    assert {one.code for one in found} == {"GS14"}
    assert len(found) == 4
    assert all(one.message.startswith("No release will hold this file: ") for one in found)
    assert "secret'" not in repr(found)
