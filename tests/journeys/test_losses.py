"""Operations that may lose rows: rollback and reset name what goes, ask, and take no silence for a yes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.journeys.conftest import Make, Monorepo

from tests.journeys.conftest import typed

TABLE = "-- +goose Up\nCREATE TABLE {0} (id TEXT PRIMARY KEY);\n-- +goose Down\nDROP TABLE {0};\n"
FILES = {
    "00001_users.sql": TABLE.format("users"),
    "00002_orders.sql": TABLE.format("orders"),
    "00003_items.sql": TABLE.format("items"),
}
TABLES = "SELECT relname FROM pg_class WHERE relname IN ('users', 'orders', 'items') ORDER BY 1"


@pytest.fixture
def shop(make: Make) -> Monorepo:
    """Three empty tables, and a server that is kept."""
    monorepo = make({"shop": FILES})
    monorepo.fine("start")
    monorepo.fine("migrate")
    return monorepo


def test_rollback_takes_back_one_then_down_to_a_version_then_all(shop: Monorepo) -> None:
    assert "1 file taken back, now at 2" in shop.fine("rollback:shop").stderr
    assert shop.sql("shop/main", TABLES) == [("orders",), ("users",)]
    status = shop.doit("status")
    assert (status.returncode, "2 applied, 1 pending" in status.stdout) == (1, True)
    assert "1 file taken back, now at 1" in shop.fine("rollback:shop/main", "to=1").stderr
    assert shop.sql("shop/main", TABLES) == [("users",)]
    unknown = shop.doit("rollback:shop", "to=3")
    assert unknown.returncode == 1
    assert "version 3 is not applied" in unknown.stderr
    assert "stands at 1 already" in shop.fine("rollback:shop", "to=1").stderr
    assert "now at nothing" in shop.fine("rollback:shop", "to=0").stderr
    assert shop.sql("shop/main", TABLES) == []
    assert "nothing is applied" in shop.fine("rollback:shop").stderr
    assert "3 files applied" in shop.fine("migrate").stderr
    for bad in ("to=-1", "to=three", "to="):
        done = shop.doit("rollback:shop", bad)
        assert (done.returncode, f"`{bad}`" in done.stderr) == (3, True), done.stderr


def test_rollback_of_a_file_without_down_is_refused_before_anything_runs(shop: Monorepo) -> None:
    shop.write("shop", "00004_more.sql", "CREATE TABLE more (id TEXT PRIMARY KEY);")
    (shop.folder("shop") / "00005_empty.sql").write_text("-- +goose Up\nSELECT 1;\n\n-- +goose Down\n-- no way back\n")
    shop.fine("migrate")
    for words, name in ((["rollback:shop"], "00005_empty.sql"), (["rollback:shop", "to=3"], "00005_empty.sql")):
        done = shop.doit(*words)
        assert done.returncode == 1
        assert f"{name} has no Down: goose would only delete its version" in done.stderr
        assert "doit reset:shop/main" in done.stderr
    assert "at head, 5 files applied" in shop.fine("status").stdout


def test_rows_are_named_and_only_a_yes_takes_them(shop: Monorepo) -> None:
    shop.sql("shop/main", "INSERT INTO items SELECT n::text FROM generate_series(1, 3) n")
    shop.sql("shop/main", "INSERT INTO users VALUES ('u1')")

    silent = shop.doit("rollback:shop")
    assert silent.returncode == 1
    assert "items: 3 rows" in silent.stderr
    assert "users" not in silent.stderr  # they stay
    assert "there is no terminal to ask on" in silent.stderr
    assert "→ add yes=shop to the command" in silent.stderr
    for words in (["rollback:shop", "yes=shop"], ["reset:shop", "yes=shop"], ["reset:shop"]):
        ci = shop.doit(*words, CI="true")
        assert ci.returncode == 1
        assert "would lose rows, which is never done in CI" in ci.stderr
    wrong = shop.doit("rollback:shop", "yes=auth")
    assert (wrong.returncode, "'auth' is not shop, so nothing was changed" in wrong.stderr) == (1, True)

    code, shown = typed(shop, ("rollback:shop",), "Type shop to go on:", "no")
    assert (code, "'no' is not shop" in shown) == (1, True)
    assert shop.sql("shop/main", "SELECT count(*) FROM items") == [(3,)]
    code, shown = typed(shop, ("rollback:shop",), "Type shop to go on:", "shop")
    assert (code, "now at 2" in shown) == (0, True)
    assert shop.sql("shop/main", TABLES) == [("orders",), ("users",)]

    silent = shop.doit("reset:shop")
    assert silent.returncode == 1
    assert "users: 1 row\n" in silent.stderr
    code, shown = typed(shop, ("reset:shop",), "Type shop to go on:", "")
    assert (code, "nothing was changed" in shown) == (1, True)
    assert shop.sql("shop/main", "SELECT count(*) FROM users") == [(1,)]
    assert "rebuilt, 3 files applied" in shop.fine("reset:shop", "yes=shop").stderr
    assert shop.sql("shop/main", "SELECT count(*) FROM users") == [(0,)]
    assert "rebuilt, 3 files applied" in shop.fine("reset:shop", CI="true").stderr  # nothing to lose


def test_a_down_that_fails_says_what_is_still_applied(shop: Monorepo) -> None:
    shop.write("shop", "00004_more.sql", "CREATE TABLE more (id TEXT PRIMARY KEY);", "DROP TABLE less;")
    shop.fine("migrate")
    done = shop.doit("rollback:shop")
    assert done.returncode == 1
    assert "services/shop/migrations/00004_more.sql:5" in done.stderr
    assert 'table "less" does not exist' in done.stderr
    assert "correct the file" not in done.stderr  # it is taken back with the text that it was applied with
    assert "→ rebuild the local database instead: doit reset:shop/main" in done.stderr
    assert "at head, 4 files applied" in shop.fine("status").stdout
    assert not re.search(r"✓ rollback", done.stderr)


def test_reset_and_rollback_ask_for_each_database_by_itself(shop: Monorepo) -> None:
    several = shop.doit("reset:shop", "rollback:shop")
    assert several.returncode == 3
    assert "an operation that asks questions runs alone" in several.stderr
