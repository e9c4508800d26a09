"""A Down that would take goose's own version table away is refused before anything is undone, on both engines."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.journeys.clickhouse import clickhouse, query

if TYPE_CHECKING:
    from tests.journeys.conftest import Make, Monorepo

CREATE = (
    "-- +goose Up\nCREATE TABLE IF NOT EXISTS shop.{0} (id UInt64) ENGINE = MergeTree ORDER BY id;\n-- +goose Down\n"
)
PATH = "services/shop/migrations"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monorepo]:
    monorepo = clickhouse(tmp_path_factory.mktemp("running") / "monorepo", {"shop": {}})
    monorepo.fine("start")
    yield monorepo
    monorepo.stop()
    shutil.rmtree(monorepo.root)


def applied(monorepo: Monorepo, first: str, second: str = "DROP TABLE IF EXISTS shop.b SYNC;") -> None:
    """Apply two files with these Downs to a new database, and put a row into the first table."""
    for name, down in (("a", first), ("b", second)):
        file = monorepo.folder("shop") / f"0000{'ab'.index(name) + 1}_{name}.sql"
        file.write_text(CREATE.format(name) + down + "\n")
    query(monorepo, "DROP DATABASE IF EXISTS shop SYNC")
    monorepo.fine("migrate")
    query(monorepo, "INSERT INTO shop.a VALUES (7)")


@pytest.mark.parametrize(
    "down",
    [
        "DROP DATABASE shop;",
        "DROP DATABASE IF EXISTS `shop` ON CLUSTER 'my_cluster' SYNC;",
        "DROP TABLE IF EXISTS shop.goose_db_version;",
        "TRUNCATE TABLE goose_db_version;",
    ],
)
def test_on_clickhouse_it_is_refused_with_its_line(running: Monorepo, down: str) -> None:
    applied(running, f"DROP TABLE IF EXISTS shop.a SYNC;\n{down}")
    done = running.doit("rollback:shop", "to=0", "yes=shop")
    assert done.returncode == 1
    assert f"{PATH}/00001_a.sql:5: the Down of 00001_a.sql would take goose_db_version away" in done.stderr
    assert "→ rebuild instead: doit reset:shop/main" in done.stderr
    assert query(running, "SELECT id FROM shop.a") == [[7]]
    assert "all at head" in running.fine("status").stderr
    assert "1 file taken back" in running.fine("rollback:shop", "yes=shop").stderr  # the other file's Down is harmless
    assert "rebuilt, 2 files applied" in running.fine("reset:shop", "yes=shop").stderr


def test_on_clickhouse_the_text_that_was_applied_counts(running: Monorepo) -> None:
    applied(running, "SELECT 1;", "DROP DATABASE shop;")
    (running.folder("shop") / "00002_b.sql").write_text(CREATE.format("b") + "DROP TABLE IF EXISTS shop.b;\n")
    assert "would take goose_db_version away" in running.doit("rollback:shop", "yes=shop").stderr


def test_on_clickhouse_a_down_that_only_speaks_of_it_runs(running: Monorepo) -> None:
    applied(running, "-- DROP DATABASE shop\nDROP TABLE IF EXISTS shop.a COMMENT 'x';".replace(" COMMENT 'x'", ""))
    assert "2 files taken back" in running.fine("rollback:shop", "to=0", "yes=shop").stderr
    assert query(running, "SELECT name FROM system.tables WHERE database = 'shop'") == [["goose_db_version"]]


def test_on_clickhouse_rows_are_asked_about_as_nothing_can_be_tried(running: Monorepo) -> None:
    applied(running, "DROP TABLE IF EXISTS shop.a SYNC;")
    done = running.doit("rollback:shop", "to=0")
    assert done.returncode == 1
    assert "not tried beforehand, as ClickHouse has no transactions" in done.stderr
    assert "would lose rows" in done.stderr or "could lose rows" in done.stderr
    assert "→ add yes=shop to the command" in done.stderr
    assert query(running, "SELECT id FROM shop.a") == [[7]]


TABLE = "-- +goose Up\nCREATE SCHEMA IF NOT EXISTS app;\nCREATE TABLE app.a (id TEXT PRIMARY KEY);\n-- +goose Down\n"


@pytest.mark.parametrize(
    "down",
    ["DROP SCHEMA public CASCADE;", "DROP TABLE goose_db_version;", "DELETE FROM goose_db_version;"],
)
def test_on_postgresql_it_is_refused_with_its_line(make: Make, down: str) -> None:
    monorepo = make({"shop": {"00001_a.sql": f"{TABLE}DROP TABLE app.a;\n{down}\n"}})
    monorepo.fine("migrate")
    done = monorepo.doit("rollback:shop", "yes=shop")
    assert done.returncode == 1
    assert f"{PATH}/00001_a.sql:6: the Down of 00001_a.sql would take goose_db_version away" in done.stderr
    assert "→ rebuild instead: doit reset:shop/main" in done.stderr
    assert "all at head" in monorepo.fine("status").stderr
    assert "rebuilt, 1 file applied" in monorepo.fine("reset:shop", "yes=shop").stderr


def test_on_postgresql_one_without_a_transaction_says_what_it_did_and_the_way_out(make: Make) -> None:
    text = f"-- +goose NO TRANSACTION\n{TABLE}DROP SCHEMA public CASCADE;\nDROP TABLE app.a;\n"
    monorepo = make({"shop": {"00001_a.sql": text}})
    monorepo.fine("migrate")
    done = monorepo.doit("rollback:shop", "yes=shop")
    assert done.returncode == 1
    assert 'relation "goose_db_version" does not exist' in done.stderr
    assert "doit reset:shop/main" in done.stderr
    assert "rebuilt, 1 file applied" in monorepo.fine("reset:shop", "yes=shop").stderr
    assert "all at head" in monorepo.fine("status").stderr
