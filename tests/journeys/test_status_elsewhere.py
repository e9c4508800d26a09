"""`doit status` of other environments: a second server plays dev, and nothing is ever written there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import psycopg
import pytest

from tests.journeys.clickhouse import CREATE, clickhouse, query, server
from tests.journeys.conftest import ROOT, Monorepo, copied, lend, small

GOOD = "-- +goose Up\nCREATE TABLE {0} (id TEXT PRIMARY KEY);\n-- +goose Down\nDROP TABLE {0};\n"
FILES = {"00001_a.sql": GOOD.format("a"), "00002_b.sql": GOOD.format("b")}
SERVICES = """
version: 1
environments: {local: {}, dev: {}, prod: {}}
services:
  shop: {databases: {main: {engine: postgres, name: {dev: shop_main, prod: shop}}}}
  cart: {databases: {main: {engine: postgres, name: {dev: cart_main, prod: cart}}}}
  till: {databases: {shop: {owner: shop/main}}}
"""
SCHEMA = json.loads((ROOT / "schemas" / "status.schema.json").read_text())


@pytest.fixture(scope="module")
def both(empty_server: Monorepo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Monorepo, dict[str, str]]]:
    """A monorepo at head here, and the variables of its dev, which runs with the same files applied."""
    folder = tmp_path_factory.mktemp("elsewhere")
    dev = lend(empty_server, small(folder / "dev", {"shop": FILES, "cart": FILES}))
    dev.fine("migrate")
    urls = dev.urls()
    mine = lend(empty_server, small(folder / "mine", {"shop": FILES, "cart": FILES, "till": {}}))
    (mine.root / "services.yaml").write_text(SERVICES)
    mine.fine("migrate")
    mine.settle()
    yield mine, {"SHOP_MAIN_DEV_URL": urls["shop/main"], "CART_MAIN_DEV_URL": urls["cart/main"]}
    mine.stop()
    dev.stop()


def test_dev_is_compared_by_version_and_says_so(both: tuple[Monorepo, dict[str, str]]) -> None:
    mine, variables = both
    done = mine.fine("status@dev", **variables)
    assert done.stdout.splitlines() == [
        "shop/main@dev  at head, 2 files applied",
        "cart/main@dev  at head, 2 files applied",
        "till/shop@dev  through shop/main: at head, 2 files applied",
        "dev: by version alone; goose keeps no texts, so an edited file would not show",
    ]
    assert "all at head" in done.stderr
    assert not (mine.state / "postgres" / "server.json").exists()  # nothing local was started for it


def test_a_file_that_dev_has_not_got_yet_is_pending_there(
    both: tuple[Monorepo, dict[str, str]], tmp_path: Path
) -> None:
    mine, variables = copied(both[0], tmp_path / "mine"), both[1]
    mine.write("shop", "00003_c.sql", "SELECT 1;")
    (mine.folder("shop") / "00001_a.sql").unlink()
    done = mine.doit("status:shop@dev", **variables)
    assert done.returncode == 1
    first, *versions, _ = done.stdout.splitlines()
    assert first == "shop/main@dev  not at head: 1 applied, 1 missing, 1 pending"
    assert [re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "when", line).split() for line in versions] == [
        ["missing", "when", "1"],
        ["applied", "when", "00002_b.sql"],
        ["pending", "00003_c.sql"],
    ]


def test_every_environment_stands_in_one_table_and_missing_variables_are_told_together(
    both: tuple[Monorepo, dict[str, str]],
) -> None:
    mine, variables = both
    done = mine.doit("status:shop@all", "status:cart@all", **variables)
    assert done.returncode == 1
    assert done.stdout.splitlines()[:6] == [
        "shop/main       at head, 2 files applied",
        "shop/main@dev   at head, 2 files applied",
        "shop/main@prod  not asked: SHOP_MAIN_PROD_URL is not set",
        "cart/main       at head, 2 files applied",
        "cart/main@dev   at head, 2 files applied",
        "cart/main@prod  not asked: CART_MAIN_PROD_URL is not set",
    ]
    assert "2 variables are not set" in done.stderr
    assert "→ export SHOP_MAIN_PROD_URL='postgres://USER:PASSWORD@HOST:5432/shop'" in done.stderr
    assert "→ export CART_MAIN_PROD_URL='postgres://USER:PASSWORD@HOST:5432/cart'" in done.stderr
    assert "2 of 6 not at head" in done.stderr


def test_one_that_cannot_be_reached_says_so_in_its_row_and_the_rest_is_shown(
    both: tuple[Monorepo, dict[str, str]],
) -> None:
    mine, variables = both
    password = re.search(r":([^:@]+)@", variables["SHOP_MAIN_DEV_URL"])
    assert password
    wrong = variables["SHOP_MAIN_DEV_URL"].replace(password[1], "t0p-s3cret")
    done = mine.doit("status:shop@dev", "status:cart@dev", **{**variables, "SHOP_MAIN_DEV_URL": wrong})
    assert done.returncode == 1
    assert "shop/main@dev  cannot be looked at\n" in done.stdout
    assert "password authentication failed" in done.stdout
    assert "→ correct the user and the password in SHOP_MAIN_DEV_URL" in done.stdout
    assert "cart/main@dev  at head, 2 files applied\n" in done.stdout
    assert "t0p-s3cret" not in done.stdout + done.stderr


def test_the_document_is_what_its_schema_says(both: tuple[Monorepo, dict[str, str]]) -> None:
    mine, variables = both
    done = mine.doit("status@all", "format=json", **variables)
    document = json.loads(done.stdout)
    jsonschema.validate(document, SCHEMA)
    found = {(one["service"], one["environment"]): one for one in document["databases"]}
    assert [found["shop", at]["at_head"] for at in ("local", "dev", "prod")] == [True, True, False]
    assert [found["shop", at]["texts_compared"] for at in ("local", "dev", "prod")] == [True, False, False]
    assert found["shop", "prod"]["exists"] is None
    assert "SHOP_MAIN_PROD_URL is not set" in found["shop", "prod"]["error"]
    assert found["till", "dev"]["owner"] == "shop/main"


def test_a_history_in_another_table_is_told(both: tuple[Monorepo, dict[str, str]], tmp_path: Path) -> None:
    mine, variables = copied(both[0], tmp_path / "mine"), both[1]
    file = mine.root / "services.yaml"
    file.write_text(file.read_text().replace("prod: shop}", "prod: shop}, table: versions"))
    done = mine.doit("status:shop@dev", **variables)
    assert done.returncode == 1
    said = (
        "  versions is missing, while the database holds goose_db_version (2 versions): see `table:` in services.yaml"
    )
    assert said in done.stdout.splitlines()
    with psycopg.connect(variables["SHOP_MAIN_DEV_URL"]) as connection:
        assert connection.execute("SELECT to_regclass('versions')").fetchone() == (None,)


def test_clickhouse_elsewhere_is_asked_over_http(tmp_path: Path) -> None:
    file = {"00001_a.sql": CREATE.format(db="logs", table="a")}
    dev = clickhouse(tmp_path / "dev", {"logs": file})
    mine = clickhouse(tmp_path / "mine", {"logs": {**file, "00002_b.sql": CREATE.format(db="logs", table="b")}})
    document = json.loads((mine.root / "services.yaml").read_text())
    document["environments"]["dev"] = {}
    (mine.root / "services.yaml").write_text(json.dumps(document))
    dev.fine("migrate")
    with server(dev) as there:
        url = there.address.url + "/logs"
        done = mine.doit("status:logs@dev", LOGS_MAIN_DEV_URL=url)
        assert done.returncode == 1
        assert done.stdout.startswith("logs/main@dev  not at head: 1 applied, 1 pending\n")
        query(dev, "DROP TABLE logs.goose_db_version")
        done = mine.doit("status:logs@dev", LOGS_MAIN_DEV_URL=url)
        assert done.stdout.startswith("logs/main@dev  not at head: 0 applied, 2 pending\n")
        assert query(dev, "SELECT name FROM system.tables WHERE database = 'logs'") == [["a"]]
    assert not (mine.state / "clickhouse").exists()
