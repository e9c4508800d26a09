"""`start` and `stop`, and what status, why and doctor tell people and programs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import jsonschema
import psycopg
import pytest

if TYPE_CHECKING:
    from tests.journeys.conftest import Make, Monorepo

from tests.journeys.conftest import ROOT, URL, counts


@pytest.mark.parametrize("words", [["status"], ["status:auth-service"], ["why", "migrate"], ["doctor"]])
def test_reports_as_json_are_one_document_that_keeps_to_its_schema(migrated: Monorepo, words: list[str]) -> None:
    before = migrated.control()
    done = migrated.fine(*words, "format=json")
    document: dict[str, Any] = json.loads(done.stdout)
    name = words[0].partition(":")[0]
    jsonschema.validate(document, json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text()))
    assert migrated.control() == before
    if name == "status":
        assert all(database["at_head"] for database in document["databases"])
        assert document["databases"][0]["database"] == "auth"


def test_reports_for_people(migrated: Monorepo) -> None:
    before = migrated.control()
    status = migrated.fine("status")
    assert status.stdout.splitlines()[0] == "auth-service/auth          at head, 9 files applied"
    assert "✓ status  all at head" in status.stderr
    one = migrated.fine("status:auth-service")
    assert re.search(
        r"^  applied       \d{4}-\d\d-\d\d \d\d:\d\d:\d\d  20251231000000_create_users", one.stdout, re.MULTILINE
    )
    why = migrated.fine("why", "migrate:auth-service", "migrate:legal-service")
    assert why.stdout.count("up to date: all ") == 2
    assert re.search(r"since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", why.stdout)
    assert why.stderr == ""
    doctor = migrated.fine("doctor")
    for program in ("Python", "goose", "PostgreSQL", "Node.js", "Go"):
        assert re.search(rf"^{program} +\d", doctor.stdout, re.MULTILINE), doctor.stdout
    assert re.search(r"^goose +3\.27\.3 ", doctor.stdout, re.MULTILINE)
    assert re.search(r"^PostgreSQL +16\.", doctor.stdout, re.MULTILINE)
    assert migrated.control() == before


def test_before_the_first_migrate_nothing_is_at_head_and_nothing_is_made(fresh: Monorepo) -> None:
    status = fresh.doit("status")
    assert status.returncode == 1
    assert "auth-service/auth          no database auth_service_auth yet, 9 files to apply" in status.stdout
    assert "6 of 6 not at head" in status.stderr
    assert "would run: the local database auth_service_auth does not exist" in fresh.fine("why", "migrate").stdout
    assert not (fresh.state / "postgres").exists()
    assert "nothing was running" in fresh.fine("stop").stderr


def test_start_keeps_a_server_whose_urls_work_and_stop_ends_it(make: Make) -> None:
    files = {"00001_a.sql": "-- +goose Up\nCREATE TABLE a (id TEXT PRIMARY KEY);\n"}
    monorepo = make({"shop": files, "cart": files})
    monorepo.fine("migrate")
    started = monorepo.fine("start")
    urls = dict(URL.findall(started.stdout))
    assert list(urls) == ["shop/main", "cart/main"]
    assert "running until `doit stop`" in started.stderr
    for url in urls.values():
        assert url.startswith("postgres://")
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM a").fetchone() == (0,)
    assert dict(URL.findall(monorepo.fine("start:cart").stdout)) == {"cart/main": urls["cart/main"]}

    (monorepo.folder("shop") / "00002_b.sql").write_text("-- +goose Up\nCREATE TABLE b (id TEXT PRIMARY KEY);\n")
    done = monorepo.fine("migrate")
    assert "starting" not in done.stderr
    assert counts(done) == (1, 1, 0)
    with psycopg.connect(urls["shop/main"]) as connection:  # it has survived that run
        assert connection.execute("SELECT count(*) FROM b").fetchone() == (0,)
    assert "postgres stopped" in monorepo.fine("stop").stderr
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(urls["shop/main"])
    assert "nothing was running" in monorepo.fine("stop").stderr
    assert counts(monorepo.fine("migrate")) == (0, 2, 0)
    assert monorepo.urls()["shop/main"] == urls["shop/main"]  # what was pasted into an IDE stays right
