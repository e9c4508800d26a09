"""The main job with ClickHouse: all six services of the example, and what must run and must not of a small monorepo."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from tests.journeys.clickhouse import CREATE, clickhouse, query
from tests.journeys.conftest import ROOT, copied, counts, ran

if TYPE_CHECKING:
    from tests.journeys.conftest import Monorepo

OURS = ["migrate:analytics-service/analytics", "migrate:audit-service/audit"]
URL = re.compile(r"^(\S+)\t((?:postgres|clickhouse)://\S+)$", re.MULTILINE)


def settled(monorepo: Monorepo) -> dict[str, int]:
    """When each server was started last, by the configuration that a start writes; waits until none runs."""
    deadline = time.monotonic() + 30
    while any((monorepo.state / engine / "server.json").exists() for engine in ("postgres", "clickhouse")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    written = {"clickhouse": "run/config.xml", "postgres": "data/global/pg_control"}
    return {
        engine: (monorepo.state / engine / file).stat().st_mtime_ns
        for engine, file in written.items()
        if (monorepo.state / engine / file).exists()
    }


@pytest.fixture(scope="module")
def six(whole: Monorepo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monorepo]:
    """The example monorepo at head, its servers down."""
    monorepo = copied(whole, tmp_path_factory.mktemp("six") / "monorepo")
    first = monorepo.fine("migrate")
    assert counts(first) == (7, 1, 0)
    assert set(OURS) < set(ran(first))
    for engine in ("PostgreSQL", "ClickHouse"):
        assert first.stderr.count(f"starting the local {engine}") == 1
    yield monorepo
    monorepo.stop()
    shutil.rmtree(monorepo.root)


def test_a_second_run_of_all_six_runs_nothing_and_starts_no_server(six: Monorepo) -> None:
    before = settled(six)
    assert set(before) == {"postgres", "clickhouse"}
    for words, fresh in ((["migrate"], 8), (["migrate:audit-service"], 1)):
        done = six.fine(*words)
        assert counts(done) == (0, fresh, 0)
        assert "starting" not in done.stderr
    assert "all at head" in six.fine("status").stderr
    assert settled(six) == before


@pytest.mark.parametrize("words", [["status"], ["why", "migrate"], ["doctor"]])
def test_reports_of_both_engines_keep_to_their_schemas(six: Monorepo, words: list[str]) -> None:
    before = settled(six)
    document = json.loads(six.fine(*words, "format=json").stdout)
    jsonschema.validate(document, json.loads((ROOT / "schemas" / f"{words[0]}.schema.json").read_text()))
    if words == ["status"]:
        engines = {entry["service"]: entry["engine"] for entry in document["databases"]}
        assert engines["audit-service"] == engines["analytics-service"] == "clickhouse"
        assert all(entry["at_head"] for entry in document["databases"])
    assert settled(six) == before


def test_why_and_status_speak_of_clickhouse_as_of_postgresql(six: Monorepo) -> None:
    why = six.fine("why", "migrate").stdout
    assert why.count("up to date: all ") == 8
    assert all(name in why for name in OURS)
    status = six.fine("status:audit-service").stdout
    assert "audit-service/audit  at head, 7 files applied" in status
    assert re.search(
        r"^  applied       \d{4}-\d\d-\d\d \d\d:\d\d:\d\d  20260105024118_create_events", status, re.MULTILINE
    )


def test_start_keeps_both_servers_and_their_urls_work_until_stop(six: Monorepo) -> None:
    started = six.fine("start")
    urls = dict(URL.findall(started.stdout))
    assert len(urls) == 7
    assert urls["audit-service/audit"].endswith("/audit_db")
    assert urls["audit-service/audit"].startswith("clickhouse://")
    only = dict(URL.findall(six.fine("start:audit-service").stdout))
    assert only == {"audit-service/audit": urls["audit-service/audit"]}
    assert "clickhouse stopped" in six.fine("stop:audit-service").stderr
    assert (six.state / "postgres" / "server.json").exists()
    assert "postgres stopped" in six.fine("stop").stderr
    assert "nothing was running" in six.fine("stop").stderr


def test_nothing_is_left_in_the_machines_folder_of_temporary_files(six: Monorepo, tmp_path: Path) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    folder.chmod(0o1777)  # as /tmp is: root has servers run by other accounts
    for words in (["lint", "--always-execute"], ["test:audit-service"], ["start"], ["stop"]):
        six.fine(*words, TMPDIR=str(folder))
    settled(six)
    assert list(folder.iterdir()) == []


def test_a_file_added_to_the_example_runs_its_database_alone(six: Monorepo) -> None:
    before = settled(six)["postgres"]
    name = "20270101000000_add_trace_id_to_events.sql"
    up = "ALTER TABLE audit_db.events ON CLUSTER 'my_cluster' ADD COLUMN IF NOT EXISTS trace_id String;"
    down = "ALTER TABLE audit_db.events ON CLUSTER 'my_cluster' DROP COLUMN IF EXISTS trace_id;"
    file = six.write("audit-service", name, up, down)
    assert f"would run: 1 pending: {name}" in six.fine("why", "migrate").stdout
    done = six.fine("migrate")
    assert ran(done) == ["migrate:audit-service/audit"]
    assert counts(done) == (1, 7, 0)
    assert settled(six)["postgres"] == before
    assert query(six, "SELECT count() FROM system.columns WHERE database = 'audit_db' AND name = 'trace_id'") == [[1]]
    assert "1 file taken back" in six.fine("rollback:audit-service").stderr
    file.unlink()
    assert counts(six.fine("migrate")) == (0, 8, 0)


def test_a_database_dropped_by_hand_alone_is_built_again(six: Monorepo) -> None:
    query(six, "DROP DATABASE analytics_db SYNC")
    settled(six)
    why = six.fine("why", "migrate:analytics-service").stdout
    assert "would run: the local database analytics_db does not exist" in why
    done = six.fine("migrate")
    assert ran(done) == ["migrate:analytics-service/analytics"]
    assert "9 files applied" in done.stderr
    assert counts(done) == (1, 7, 0)


def test_reset_and_rollback_ask_for_rows_of_both_engines(six: Monorepo) -> None:
    query(six, "INSERT INTO audit_db.events (occurred_at, service) VALUES (now(), 'x')")
    for words in (["reset:audit-service"], ["rollback:audit-service", "to=0"]):
        refused = six.doit(*words)
        assert refused.returncode == 1
        assert "→ add yes=audit-service to the command, if they may go" in refused.stderr
        assert "never done in CI" in six.doit(*words, "yes=audit-service", CI="true").stderr
    assert "  events: 1 row" in six.doit("reset:audit-service").stderr
    assert query(six, "SELECT count() FROM audit_db.events") == [[1]]
    assert (
        "taken back, now at 20260105024742"
        in six.fine("rollback:audit-service", "to=20260105024742", "yes=audit-service").stderr
    )
    assert counts(six.fine("migrate:audit-service")) == (1, 0, 0)
    assert "rebuilt, 7 files applied" in six.fine("reset:audit-service", "yes=audit-service").stderr
    assert query(six, "SELECT count() FROM audit_db.events") == [[0]]
    assert "7 files taken back, now at nothing" in six.fine("rollback:audit-service", "to=0").stderr
    assert "7 files applied" in six.fine("migrate:audit-service").stderr


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monorepo]:
    monorepo = clickhouse(tmp_path_factory.mktemp("running") / "monorepo", {"shop": {}})
    monorepo.fine("start")
    yield monorepo
    monorepo.stop()
    shutil.rmtree(monorepo.root)


@pytest.fixture
def shop(running: Monorepo) -> Monorepo:
    """A database with two files, on a server that runs on."""
    for file in running.folder("shop").glob("*.sql"):
        file.unlink()
    for number in (1, 3):
        name, text = f"0000{number}_t.sql", CREATE.format(db="shop", table=f"t{number}")
        (running.folder("shop") / name).write_text(text)
    query(running, "DROP DATABASE IF EXISTS shop SYNC")
    running.fine("migrate")
    return running


def test_a_changed_file_is_refused(shop: Monorepo) -> None:
    file = shop.folder("shop") / "00003_t.sql"
    file.write_text(file.read_text() + "-- changed\n")
    done = shop.doit("migrate")
    assert done.returncode == 1
    assert "00003_t.sql was changed after it had been applied" in done.stderr
    assert "it will be refused" in shop.fine("why", "migrate").stdout
    assert "changed" in shop.doit("status").stdout


def test_a_removed_file_is_refused(shop: Monorepo) -> None:
    (shop.folder("shop") / "00003_t.sql").unlink()
    done = shop.doit("migrate")
    assert done.returncode == 1
    assert "00003_t.sql was applied and its file is gone" in done.stderr


def test_a_file_out_of_order_is_refused(shop: Monorepo) -> None:
    (shop.folder("shop") / "00002_t.sql").write_text(CREATE.format(db="shop", table="t2"))
    done = shop.doit("migrate")
    assert done.returncode == 1
    assert "00002_t.sql is older than 00003_t.sql, which is applied" in done.stderr
    assert query(shop, "SELECT count() FROM system.tables WHERE database = 'shop' AND name = 't2'") == [[0]]


def test_a_new_cluster_has_the_server_started_again_by_itself(shop: Monorepo) -> None:
    text = "CREATE TABLE IF NOT EXISTS shop.{0} ON CLUSTER '{0}' AS shop.t1 ENGINE = Distributed('{0}', shop, t1);"
    shop.write("shop", "00004_other.sql", text.format("other_cluster"))
    done = shop.fine("migrate")
    assert "is started again, to know every cluster that the migrations name" in done.stderr
    assert "1 file applied" in done.stderr
    query(shop, "INSERT INTO shop.t1 (id) VALUES (1)")
    assert query(shop, "SELECT count() FROM shop.other_cluster") == [[1]]
    assert "started again" not in shop.fine("migrate").stderr
    assert dict(URL.findall(shop.fine("start").stdout))  # it is still kept
    shop.write("shop", "00005_third.sql", text.format("third"))
    shop.stop()
    assert "started again" not in shop.fine("migrate").stderr  # a start knows all of them at once
    shop.fine("start")


def both(root: Path, *, tables: tuple[str, str]) -> Monorepo:
    """Two streams that build one database."""
    monorepo = clickhouse(root, {})
    services = {}
    for service, table in zip(("one", "two"), tables, strict=True):
        entry = {"engine": "clickhouse", "name": "common", **({"table": table} if table else {})}
        services[service] = {"databases": {"main": entry}}
        (monorepo.folder(service)).mkdir(parents=True)
        (monorepo.folder(service) / "00001_t.sql").write_text(CREATE.format(db="common", table=service))
    document = {"version": 1, "environments": {"local": {}}, "services": services}
    (root / "services.yaml").write_text(json.dumps(document, indent=2))
    return monorepo


@pytest.mark.parametrize("tables", [("", ""), ("goose_db_version", ""), ("mine", "mine")])
def test_two_streams_of_one_database_with_one_version_table_are_refused(
    tmp_path: Path, tables: tuple[str, str]
) -> None:
    done = both(tmp_path, tables=tables).doit("migrate")
    assert done.returncode == 3
    assert re.search(r"services\.yaml:\d+:\d+: ", done.stderr)
    assert "common" in done.stderr
    assert "table" in done.stderr


def test_two_streams_of_one_database_with_version_tables_of_their_own_work(tmp_path: Path) -> None:
    monorepo = both(tmp_path, tables=("", "goose_two"))
    assert counts(monorepo.fine("migrate")) == (2, 0, 0)
    assert counts(monorepo.fine("migrate")) == (0, 2, 0)
    monorepo.write(
        "two", "00002_u.sql", "CREATE TABLE IF NOT EXISTS common.u (id UInt64) ENGINE = Memory;", "SELECT 1;"
    )
    done = monorepo.fine("migrate")
    assert ran(done) == ["migrate:two/main"]
    tables = query(monorepo, "SELECT name FROM system.tables WHERE database = 'common' ORDER BY 1")
    assert [name for (name,) in tables] == ["goose_db_version", "goose_two", "one", "two", "u"]
    assert "1 file taken back" in monorepo.fine("rollback:one").stderr
    assert "at head" in monorepo.fine("status:two").stdout
    monorepo.stop()
