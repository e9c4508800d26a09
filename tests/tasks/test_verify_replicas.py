"""What verify learns of a ClickHouse database, on two embedded servers that are two replicas of one cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas import catalog_file
from schemas.stream import read
from schemas.target import Target
from tasks.promote.site import Site
from tasks.verify.facts import Held
from tasks.verify.gather import _databases
from tasks.verify.release import Release
from tasks.work import Session, Work
from tests.replicas import Replica, pair
from tests.tasks.promote.conftest import Said

SERVICES = """version: 1
environments: {local: {}, dev: {}}
services:
  audit-service: {databases: {audit: {engine: clickhouse, name: audit_db}}}
"""
FILES = {
    "1_a.sql": "-- +goose Up\nCREATE TABLE audit_db.a ON CLUSTER 'my_cluster' (x Int64) ENGINE = Log;\n",
    "2_b.sql": "-- +goose Up\nALTER TABLE audit_db.a ON CLUSTER 'my_cluster' ADD COLUMN y Int64;\n",
}
VERSIONS = """
CREATE TABLE audit_db.goose_db_version
(version_id Int64, is_applied UInt8, date Date DEFAULT now(), tstamp DateTime DEFAULT now())
ENGINE = MergeTree ORDER BY date
"""
TABLE = "CREATE TABLE audit_db.a (x Int64, y Int64) ENGINE = MergeTree ORDER BY x"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Replica, Replica]]:
    with pair(tmp_path_factory.mktemp("replicas")) as both:
        yield both


@pytest.fixture
def both(servers: tuple[Replica, Replica]) -> tuple[Replica, Replica]:
    """The two, each as after both files."""
    for one in servers:
        one.address.query("DROP DATABASE IF EXISTS audit_db SYNC")
        for statement in ("CREATE DATABASE audit_db", TABLE, VERSIONS):
            one.address.query(statement)
        rows = "(0, 1), (1, 1), (2, 1)"
        one.address.query(f"INSERT INTO audit_db.goose_db_version (version_id, is_applied) VALUES {rows}")
    return servers


def held(both: tuple[Replica, Replica], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Held:
    """What is learned through the first of them."""
    migrations = folder / "services" / "audit-service" / "migrations"
    migrations.mkdir(parents=True)
    for name, text in FILES.items():
        (migrations / name).write_text(text)
    (folder / "services.yaml").write_text(SERVICES)
    monkeypatch.setenv("AUDIT_SERVICE_AUDIT_DEV_URL", both[0].url("gander", "audit_db"))
    catalog = catalog_file.load(folder / "services.yaml", None)
    target = Target(step="verify", service="audit-service", environment="dev")
    said = Said()
    work = Work(
        catalog=catalog,
        targets=(target,),
        variables={},
        session=Session(catalog, said.line),
        progress=said,
        out=said.line,
    )
    place = Site(target, catalog.environments["dev"], None, "main", "", "", by_request=False)  # type: ignore[arg-type]
    (database,) = catalog.databases()
    files = read(migrations, folder, os.environ).migrations
    release = Release(place, "", "", "", None, {database.label: database}, {database.label: files})
    found = _databases(work, release)[database.label]
    assert found.value is not None, found.why
    return found.value


def test_two_embedded_servers_as_two_replicas_that_say_the_same_are_believed(
    both: tuple[Replica, Replica], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = held(both, tmp_path, monkeypatch)
    assert found.versions == {1, 2}
    assert (found.against, found.unfinished) == ((), ())


def test_of_two_embedded_servers_as_replicas_the_one_that_lacks_a_version_is_named(
    both: tuple[Replica, Replica], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both[1].address.query(
        "ALTER TABLE audit_db.goose_db_version DELETE WHERE version_id = 2 SETTINGS mutations_sync = 1"
    )
    (against,) = held(both, tmp_path, monkeypatch).against
    assert "lacks 2, which another server holds as applied" in against


def test_a_table_that_is_another_on_one_of_two_embedded_servers_as_replicas_is_named(
    both: tuple[Replica, Replica], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both[1].address.query("ALTER TABLE audit_db.a DROP COLUMN y")
    (against,) = held(both, tmp_path, monkeypatch).against
    assert "differ in table audit_db.a" in against


def test_a_mutation_that_one_of_two_embedded_servers_as_replicas_has_not_ended_is_unfinished(
    both: tuple[Replica, Replica], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both[1].address.query("INSERT INTO audit_db.a VALUES (1, 1)")
    both[1].address.query("ALTER TABLE audit_db.a DELETE WHERE throwIf(x = 1, 'no') SETTINGS mutations_sync = 0")
    (unfinished,) = held(both, tmp_path, monkeypatch).unfinished
    assert unfinished.startswith("mutation mutation_")
    both[1].address.query("KILL MUTATION WHERE database = 'audit_db'")
