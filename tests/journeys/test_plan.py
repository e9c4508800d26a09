"""`doit plan` as it is typed: a real registry, a real remote, and a second server that plays dev."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import psycopg
import pytest

from tests.journeys.clickhouse import CREATE, clickhouse, server
from tests.journeys.conftest import ROOT, Monorepo, lend, small
from tests.journeys.releases import USERS, VALUES, releasing, there
from tests.playground import publish

SCHEMA = json.loads((ROOT / "schemas" / "plan.schema.json").read_text())
UNSET = "  note: main is not asked: SHOP_MAIN_DEV_URL is not set\n"
INDEX = "CREATE INDEX users_by_id ON users (id);"


@pytest.fixture(name="mono")
def fixture_mono(images: str, tmp_path: Path) -> Monorepo:
    return releasing(images, tmp_path)


@pytest.fixture(name="dev")
def fixture_dev(mono: Monorepo, empty_server: Monorepo, tmp_path: Path) -> Iterator[Monorepo]:
    """A server that has run the first migration of the shop, where services.yaml of the other monorepo says."""
    file = mono.root / "services.yaml"
    file.write_text(file.read_text().replace("name: shop}", "name: {dev: shop_main, prod: shop}}"))
    mono.commit()
    one = lend(empty_server, small(tmp_path / "dev", {"shop": {"00001_users.sql": USERS}}))
    one.fine("migrate")
    yield one
    one.stop()


def test_a_plan_says_what_a_release_would_change_and_changes_nothing(mono: Monorepo) -> None:
    first = mono.doit("plan:shop@dev")
    assert first.returncode == 4
    assert first.stdout.splitlines()[0] == "shop@dev  would change"
    way = "  next: you\n  → doit image:shop\n  → doit promote:shop@dev\n  → then a person syncs it in Argo CD\n"
    assert f"  main: 1 migration would run\n    00001_users.sql\n{UNSET}{way}" in first.stdout
    assert there(mono) == VALUES
    mono.fine("promote:shop@dev")
    assert mono.fine("plan:shop@dev").stdout == f"shop@dev  nothing to do\n{UNSET}"
    mono.write("shop", "00002_more.sql", "CREATE TABLE more (id TEXT);", "DROP TABLE more;")
    path = "services/shop/migrations/00002_more.sql"
    assert re.search(rf"note: not in it, as [0-9a-f]{{12}} does not have it: {path}$", _out(mono), re.MULTILINE)
    mono.commit()
    shown = mono.doit("plan:shop@dev", "format=json")
    assert shown.returncode == 4
    document = json.loads(shown.stdout)
    jsonschema.validate(document, SCHEMA)
    assert [one["runs"] for one in document["releases"]] == [{"main": ["00002_more.sql"]}]
    table = mono.doit("plan@all", "format=markdown")
    assert table.returncode == 1
    assert "| `main/00002_more.sql` |" in table.stdout
    assert re.search(r"^- shop@prod: services\.yaml: `dev` has no `argocd:`$", table.stdout, re.MULTILINE)


def test_what_a_service_only_reads_is_looked_at_too(mono: Monorepo) -> None:
    (mono.root / "services" / "till").mkdir()
    with (mono.root / "services.yaml").open("a") as file:
        file.write("  till: {databases: {shop: {owner: shop/main}}}\n")
    told = (
        "  note: shop/main@dev, which till reads, cannot be looked at: SHOP_MAIN_DEV_URL is not set: export SHOP_MAIN"
    )
    first = mono.fine("plan:till@dev").stdout
    assert first.startswith(f"till@dev  nothing to do\n  note: no database of its own, so no image\n{told}")


def test_lint_is_of_the_commits_files_and_settings_whatever_the_work_tree_has(mono: Monorepo) -> None:
    mono.fine("promote:shop@dev")
    file = mono.write("shop", "00002_index.sql", INDEX, "DROP INDEX users_by_id;")
    mono.commit()
    file.write_text("-- +goose Up\nSELECT 1;\n")
    told = "    00002_index.sql\n      2: warning PL05: "
    assert told in _out(mono)
    (finding,) = _json(mono)["findings"]
    assert (finding["file"], finding["code"], finding["line"]) == ("00002_index.sql", "PL05", 2)
    assert "- shop@dev: `main/00002_index.sql:2` warning PL05: " in _out(mono, "format=markdown")
    settings = mono.root / "services.yaml"
    before = settings.read_text()
    settings.write_text(before + "lint: {severity: {PL05: off}}\n")
    assert told in _out(mono), "a setting that is not committed"
    file.write_text(f"-- +goose Up\n{INDEX}\n\n-- +goose Down\nDROP INDEX users_by_id;\n")
    mono.commit()
    assert _json(mono)["findings"] == []


def test_the_database_decides_what_would_run_where_it_can_be_asked(mono: Monorepo, dev: Monorepo) -> None:
    url = {"SHOP_MAIN_DEV_URL": dev.urls()["shop/main"]}
    first = mono.doit("plan:shop@dev", **url)
    assert first.returncode == 4
    assert "  main: no migration would run; the database holds 1 version, the newest 1\n" in first.stdout
    mono.write("shop", "00002_more.sql", "CREATE TABLE more (id TEXT);", "DROP TABLE more;")
    mono.commit()
    mono.fine("promote:shop@dev")
    waits = mono.doit("plan:shop@dev", **url)
    assert waits.returncode == 4
    assert "  main: 1 migration would run; the database holds 1 version, the newest 1\n" in waits.stdout
    assert "has 00002_more.sql, which the database does not hold: it was not synced yet, or its Job" in waits.stdout
    assert "  next: whoever syncs in Argo CD\n  → a person syncs it in Argo CD\n" in waits.stdout
    dev.write("shop", "00002_more.sql", "CREATE TABLE more (id TEXT);", "DROP TABLE more;")
    dev.fine("migrate")
    synced = mono.fine("plan:shop@dev", **url)
    assert synced.stdout.startswith("shop@dev  nothing to do\n")
    assert _json(mono, **url)["held"] == {"main": [1, 2]}


def test_what_the_database_holds_against_what_is_written_down_is_a_problem(mono: Monorepo, dev: Monorepo) -> None:
    url = {"SHOP_MAIN_DEV_URL": dev.urls()["shop/main"]}
    mono.fine("promote:shop@dev")
    dev.write("shop", "00002_hand.sql", "CREATE TABLE hand (id TEXT);", "DROP TABLE hand;")
    dev.fine("migrate")
    more = mono.doit("plan:shop@dev", **url)
    assert more.returncode == 1
    assert re.search(r"cannot be told: main: the database holds 2, which m-[0-9a-f]{16} does not have", more.stdout)
    with psycopg.connect(url["SHOP_MAIN_DEV_URL"], autocommit=True) as connection:
        connection.execute("ALTER TABLE goose_db_version RENAME TO versions")
    moved = mono.doit("plan:shop@dev", **url)
    assert moved.returncode == 1
    assert "goose_db_version is missing, while the database holds versions (2 versions)" in moved.stdout
    password = re.search(r":([^:@]+)@", url["SHOP_MAIN_DEV_URL"])
    assert password
    wrong = url["SHOP_MAIN_DEV_URL"].replace(password[1], "t0p-s3cret")
    closed = mono.doit("plan:shop@dev", SHOP_MAIN_DEV_URL=wrong)
    assert closed.returncode == 1
    assert "cannot be told: main: shop/main@dev cannot be looked at: " in closed.stdout
    assert "t0p-s3cret" not in closed.stdout + closed.stderr


def _out(mono: Monorepo, *words: str) -> str:
    return mono.doit("plan:shop@dev", *words).stdout


def _json(mono: Monorepo, **variables: str) -> Any:
    document = json.loads(mono.doit("plan:shop@dev", "format=json", **variables).stdout)
    jsonschema.validate(document, SCHEMA)
    (one,) = document["releases"]
    return one


def test_clickhouse_is_asked_over_http_and_its_files_are_linted(images: str, tmp_path: Path) -> None:
    file = {"00001_a.sql": CREATE.format(db="logs", table="a")}
    plain = "-- +goose Up\nCREATE TABLE logs.b (id UInt64) ENGINE = MergeTree ORDER BY id;\n"
    dev = clickhouse(tmp_path / "dev", {"logs": file})
    mine = clickhouse(tmp_path / "mine", {"logs": {**file, "00002_b.sql": f"{plain}\n-- +goose Down\nSELECT 1;\n"}})
    document = json.loads((mine.root / "services.yaml").read_text())
    document["image"] = {"repository": f"{images}/{{service}}"}
    document["environments"]["dev"] = {
        "gitops": {"repository": ".", "branch": "main", "push": "direct"},
        "values": {"file": "services/{service}/values.yaml", "key": "migrations.image"},
    }
    (mine.root / "services.yaml").write_text(json.dumps(document))
    (mine.root / "services" / "logs" / "values.yaml").write_text(VALUES)
    publish(mine.root, tmp_path / "remote")
    dev.fine("migrate")
    with server(dev) as there:
        done = mine.doit("plan:logs@dev", "format=json", LOGS_MAIN_DEV_URL=f"{there.address.url}/logs")
    (release,) = json.loads(done.stdout)["releases"]
    assert (release["held"], release["runs"]) == ({"main": [1]}, {"main": ["00002_b.sql"]})
    linted = json.loads(mine.doit("lint", "format=json").stdout)["findings"]
    wanted = [(one["code"], one["line"]) for one in linted if one["file"].endswith("/00002_b.sql")]
    assert [(one["code"], one["line"]) for one in release["findings"]] == wanted
    assert wanted
