"""`doit drift`: another server plays dev, somebody has changed it by hand, and every change is told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import psycopg
import pytest

from tests.journeys.clickhouse import CREATE, clickhouse, query, server
from tests.journeys.conftest import ROOT, Monorepo, lend, small

FILES = {
    "00001_a.sql": "-- +goose Up\nCREATE TYPE mood AS ENUM ('ok');\n"
    "CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT NOT NULL, mood mood DEFAULT 'ok');\n"
    "-- +goose Down\nDROP TABLE users;\nDROP TYPE mood;\n",
    "00002_b.sql": "-- +goose Up\nCREATE INDEX users_email ON users (email);\n"
    "-- +goose Down\nDROP INDEX users_email;\n",
}
SERVICES = """
version: 1
environments: {local: {}, dev: {}, prod: {}}
services:
  shop: {databases: {main: {engine: postgres, name: {dev: shop_main, prod: shop}}}}
  till: {databases: {shop: {owner: shop/main}}}
"""
SCHEMA = json.loads((ROOT / "schemas" / "drift.schema.json").read_text())


@pytest.fixture(scope="module")
def shop(empty_server: Monorepo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Monorepo, str]]:
    """A monorepo, and the URL of its dev, which has two of its three files."""
    folder = tmp_path_factory.mktemp("drift")
    dev = lend(empty_server, small(folder / "dev", {"shop": FILES}))
    dev.fine("migrate")
    mine = small(folder / "mine", {"shop": FILES, "till": {}})
    (mine.root / "services.yaml").write_text(SERVICES)
    mine.write("shop", "00003_c.sql", "CREATE TABLE later (id TEXT);", "DROP TABLE later;")
    yield mine, dev.urls()["shop/main"]
    dev.stop()


@pytest.fixture
def dev(shop: tuple[Monorepo, str]) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Dev, to be changed by hand; put back after the test."""
    with psycopg.connect(shop[1], autocommit=True) as connection:
        yield connection
        connection.execute(
            "DROP TABLE IF EXISTS extra; ALTER TABLE users ALTER COLUMN email SET NOT NULL;"
            "DROP INDEX IF EXISTS users_email; CREATE INDEX users_email ON users (email);"
        )


def test_a_database_as_its_files_build_it_shows_none_and_pending_files_are_no_drift(
    shop: tuple[Monorepo, str],
) -> None:
    mine, url = shop
    done = mine.fine("drift:shop@dev", "drift:till@dev", SHOP_MAIN_DEV_URL=url)
    assert done.stdout.splitlines() == [
        "shop/main@dev  is what 2 applied files build",
        "  pending, and no drift: 00003_c.sql",
    ]
    assert "no drift" in done.stderr
    assert not (mine.state / "postgres").exists()  # no local database was needed


def test_each_object_that_was_changed_by_hand_is_told(
    shop: tuple[Monorepo, str], dev: psycopg.Connection[tuple[object, ...]]
) -> None:
    mine, url = shop
    dev.execute(
        "CREATE TABLE extra (id INT); ALTER TABLE users ALTER COLUMN email DROP NOT NULL; DROP INDEX users_email;"
    )
    done = mine.doit("drift:shop@dev", SHOP_MAIN_DEV_URL=url)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "shop/main@dev  3 objects differ from what 2 applied files build",
        "  ~ column public.users.email",
        "      - text NOT NULL",
        "      + text",
        "  - index public.users.users_email: CREATE INDEX users_email ON public.users USING btree (email)",
        "  + table public.extra",
        "  pending, and no drift: 00003_c.sql",
    ]
    document = json.loads(mine.doit("drift:shop@dev", "format=json", SHOP_MAIN_DEV_URL=url).stdout)
    jsonschema.validate(document, SCHEMA)
    (one,) = document["databases"]
    assert one["drift"] is True
    changes = {each["name"]: (each["files"], each["there"]) for each in one["replicas"][0]["changes"]}
    assert changes["public.users.email"] == ("text NOT NULL", "text")
    assert changes["public.extra"] == (None, "")


def test_a_role_that_may_only_connect_sees_the_drift_and_grants_are_none(
    shop: tuple[Monorepo, str], dev: psycopg.Connection[tuple[object, ...]]
) -> None:
    mine, url = shop
    dev.execute("CREATE ROLE looker LOGIN PASSWORD 'l00k'; GRANT SELECT ON goose_db_version, users TO looker")
    try:
        done = mine.fine("drift:shop@dev", SHOP_MAIN_DEV_URL=re.sub(r"//[^@]+@", "//looker:l00k@", url))
        assert "is what 2 applied files build" in done.stdout
    finally:
        dev.execute("DROP OWNED BY looker; DROP ROLE looker")


def test_variables_that_are_not_set_are_told_before_anything_is_started(shop: tuple[Monorepo, str]) -> None:
    mine, _ = shop
    done = mine.doit("drift@all")
    assert done.returncode == 1
    assert "2 variables are not set" in done.stderr
    assert "→ export SHOP_MAIN_PROD_URL='postgres://USER:PASSWORD@HOST:5432/shop'" in done.stderr
    assert "starting" not in done.stderr
    unreachable = mine.doit("drift@dev", SHOP_MAIN_DEV_URL="postgres://u:s3cret-word@127.0.0.1:1/shop_main")
    assert unreachable.returncode == 1
    assert "shop/main@dev  cannot be looked at\n" in unreachable.stdout
    assert "Connection refused" in unreachable.stdout
    assert "s3cret-word" not in unreachable.stdout + unreachable.stderr


def test_clickhouse_is_compared_without_its_cluster(tmp_path: Path) -> None:
    files = {"00001_a.sql": CREATE.format(db="logs", table="a"), "00002_b.sql": CREATE.format(db="logs", table="b")}
    dev = clickhouse(tmp_path / "dev", {"logs": files})
    mine = clickhouse(tmp_path / "mine", {"logs": files})
    document = json.loads((mine.root / "services.yaml").read_text())
    document["environments"]["dev"] = {}
    (mine.root / "services.yaml").write_text(json.dumps(document))
    dev.fine("migrate")
    with server(dev) as there:
        url = there.address.url + "/logs"
        assert "is what 2 applied files build" in mine.fine("drift:logs@dev", LOGS_MAIN_DEV_URL=url).stdout
        query(dev, "ALTER TABLE logs.a ADD COLUMN more String", "DROP TABLE logs.b", "CREATE FUNCTION f AS (x) -> x")
        done = mine.doit("drift:logs@dev", LOGS_MAIN_DEV_URL=url)
    assert done.returncode == 1
    assert "2 objects differ" in done.stdout
    assert re.search(r"^  ~ table logs\.a\n(?:.*\n)*?      \+ .*`?more`? String", done.stdout, re.MULTILINE)
    assert "  - table logs.b" in done.stdout
    assert "function" not in done.stdout
