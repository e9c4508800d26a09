"""ClickHouse has no transactions: a file that stops half-way is told, kept, and run again only where that is safe."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.journeys.clickhouse import clickhouse, query

if TYPE_CHECKING:
    from subprocess import CompletedProcess

    from tests.journeys.conftest import Monorepo

TABLE = "CREATE TABLE IF NOT EXISTS shop.{} (id UInt64) ENGINE = MergeTree ORDER BY id;"
FIRST = f"-- +goose Up\n{TABLE.format('first')}\n-- +goose Down\nDROP TABLE IF EXISTS shop.first SYNC;\n"
BAD = "ALTER TABLE shop.nobody ADD COLUMN a String;"
PATH = "services/shop/migrations/00002_b.sql"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monorepo]:
    """A monorepo whose server runs on."""
    monorepo = clickhouse(tmp_path_factory.mktemp("running") / "monorepo", {"shop": {"00001_a.sql": FIRST}})
    monorepo.fine("start")
    yield monorepo
    monorepo.stop()


@pytest.fixture
def shop(running: Monorepo) -> Monorepo:
    """That monorepo with one file, which is applied."""
    for file in running.folder("shop").glob("*.sql"):
        file.unlink()
    (running.folder("shop") / "00001_a.sql").write_text(FIRST)
    query(running, "DROP DATABASE IF EXISTS shop SYNC")
    running.fine("migrate")
    return running


def write(monorepo: Monorepo, *statements: str) -> None:
    monorepo.write("shop", "00002_b.sql", "\n".join(statements), "SELECT 1;")


def stopped(monorepo: Monorepo, *statements: str) -> str:
    """Migrate a second file that fails, and what was said of it."""
    write(monorepo, *statements)
    done = monorepo.doit("migrate")
    assert done.returncode == 1
    return done.stderr


def begun(done: CompletedProcess[str]) -> list[str]:
    (database,) = json.loads(done.stdout)["databases"]
    return [version["name"] for version in database["versions"] if version["state"] == "begun"]


def test_the_failure_says_what_is_done_and_the_journal_keeps_it(shop: Monorepo) -> None:
    said = stopped(shop, TABLE.format("b"), TABLE.format("c"), BAD, TABLE.format("d"))
    assert f"{PATH}:4: shop/main: Could not find table: nobody" in said
    assert "stopped half-way: statements 1 to 2 are done and stay, statement 3 of 4 failed" in said
    assert "the version is not recorded" in said
    assert begun(shop.doit("status", "format=json")) == ["00002_b.sql"]
    why = shop.fine("why", "migrate").stdout
    assert "would run: 1 begun: 00002_b.sql" in why
    assert query(shop, "SELECT name FROM system.tables WHERE database = 'shop' AND name IN ('b', 'c', 'd')") == [
        ["b"],
        ["c"],
    ]


def test_before_it_runs_again_it_is_said_that_this_is_safe(shop: Monorepo) -> None:
    stopped(shop, TABLE.format("b"), BAD)
    again = shop.doit("migrate")
    assert again.returncode == 1
    safe = "00002_b.sql stopped half-way, with 1 statement done; running it again is safe"
    assert again.stderr.index(safe) < again.stderr.index("Could not find table")
    write(shop, TABLE.format("b"), TABLE.format("nobody"), BAD)
    done = shop.fine("migrate")
    assert safe in done.stderr
    assert "1 file applied" in done.stderr
    assert "all at head" in shop.fine("status").stderr
    assert "1 up to date" in shop.fine("migrate").stderr


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO shop.first VALUES (1);",
        "INSERT INTO shop.first SELECT number FROM numbers(3);",
        "CREATE TABLE shop.b (id UInt64) ENGINE = MergeTree ORDER BY id;",
        "ALTER TABLE shop.first ADD COLUMN n UInt64;",
        "ALTER TABLE shop.first ADD COLUMN IF NOT EXISTS n UInt64, ADD COLUMN m UInt64;",
        "RENAME TABLE shop.first TO shop.second;",
    ],
)
def test_a_done_statement_that_cannot_be_repeated_is_refused(shop: Monorepo, statement: str) -> None:
    stopped(shop, TABLE.format("x"), statement, BAD)
    before = query(shop, "SELECT name, total_rows FROM system.tables WHERE database = 'shop' ORDER BY 1")
    again = shop.doit("migrate")
    assert again.returncode == 1
    assert f"{PATH}:3: shop/main: the file stopped half-way, with 2 statements done" in again.stderr
    assert "this statement cannot be run twice" in again.stderr
    assert "→ or, if its rows may go, rebuild the local database: doit reset:shop/main" in again.stderr
    assert query(shop, "SELECT name, total_rows FROM system.tables WHERE database = 'shop' ORDER BY 1") == before


def test_a_refused_file_finishes_when_what_is_done_was_taken_out(shop: Monorepo) -> None:
    stopped(shop, "INSERT INTO shop.first VALUES (1);", TABLE.format("b"), BAD)
    assert "this statement cannot be run twice" in shop.doit("migrate").stderr
    write(shop, TABLE.format("b"), TABLE.format("c"))
    assert "1 file applied" in shop.fine("migrate").stderr
    assert query(shop, "SELECT count() FROM shop.first") == [[1]]


def test_a_failure_in_the_first_statement_leaves_nothing_half_done(shop: Monorepo) -> None:
    said = stopped(shop, BAD, "INSERT INTO shop.first VALUES (1);")
    assert "it has no transaction: statement 1 of 2 failed, and the version is not recorded" in said
    assert begun(shop.doit("status", "format=json")) == []
    write(shop, TABLE.format("nobody"), BAD, "INSERT INTO shop.first VALUES (1);")
    done = shop.fine("migrate")
    assert "running it again" not in done.stderr
    assert query(shop, "SELECT count() FROM shop.first") == [[1]]


def test_a_deleted_file_is_refused_with_the_way_out(shop: Monorepo) -> None:
    stopped(shop, TABLE.format("b"), BAD)
    (shop.root / PATH).unlink()
    done = shop.doit("migrate")
    assert done.returncode == 1
    assert f"{PATH} stopped half-way and its file is gone" in done.stderr
    assert f"→ bring it back, mend it and migrate: git restore {PATH}" in done.stderr
    assert "doit reset:shop/main" in done.stderr
    assert "rebuilt, 1 file applied" in shop.fine("reset:shop", "yes=shop").stderr
    assert "all at head" in shop.fine("status").stderr


def test_a_reset_ends_what_was_half_done(shop: Monorepo) -> None:
    stopped(shop, "INSERT INTO shop.first VALUES (1);", BAD)
    write(shop, "INSERT INTO shop.first VALUES (1);", TABLE.format("b"))
    assert "cannot be run twice" in shop.doit("migrate").stderr
    assert "rebuilt, 2 files applied" in shop.fine("reset:shop", "yes=shop").stderr
    assert query(shop, "SELECT count() FROM shop.first") == [[1]]


def test_a_later_file_waits_for_the_half_done_one(shop: Monorepo) -> None:
    shop.write("shop", "00003_c.sql", TABLE.format("c"))
    said = stopped(shop, TABLE.format("b"), BAD)
    assert "not applied: 00002_b.sql, 00003_c.sql" in said
    assert begun(shop.doit("status", "format=json")) == ["00002_b.sql"]
    write(shop, TABLE.format("b"))
    assert "2 files applied" in shop.fine("migrate").stderr


def test_a_down_that_stops_half_way_says_so_and_can_be_repeated(shop: Monorepo) -> None:
    shop.write("shop", "00002_b.sql", TABLE.format("b"), "DROP TABLE IF EXISTS shop.b;\nDROP TABLE shop.lost;")
    shop.fine("migrate")
    done = shop.doit("rollback:shop")
    assert done.returncode == 1
    assert f"{PATH}:6: shop/main: " in done.stderr
    assert "the server's code: 60" in done.stderr
    assert "statement 1 is done and stays, statement 2 of 2 failed, and the version is still recorded" in done.stderr
    query(shop, "CREATE TABLE shop.lost (id UInt64) ENGINE = Memory")
    assert "1 file taken back" in shop.fine("rollback:shop").stderr
