"""What the steps ask of a ClickHouse that runs, embedded or the user's own, with the real goose."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit
from uuid import uuid4

import pytest

from schemas.errors import Refused, ServerError
from tests.tools.conftest import facts, quiet, wait
from tools import goose
from tools.clickhouse import Embedded, Own
from tools.clickhouse.connection import identifier, string
from tools.clickhouse.server import Connected
from tools.engine import Losses

CREATE = """-- +goose Up
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS {database}.events (
    id UUID DEFAULT generateUUIDv7(), timestamp DateTime64(3), event_name LowCardinality(String)
) ENGINE = MergeTree PARTITION BY toYYYYMM(timestamp) ORDER BY (event_name, timestamp);
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
DROP TABLE IF EXISTS {database}.events;
-- +goose StatementEnd
"""
ALTER = """-- +goose Up
ALTER TABLE {database}.events ADD COLUMN IF NOT EXISTS country LowCardinality(String);

-- +goose Down
ALTER TABLE {database}.events DROP COLUMN IF EXISTS country;
"""
VERSIONS = """
CREATE TABLE {database}.{table}
(version_id Int64, is_applied UInt8, date Date DEFAULT now(), tstamp DateTime DEFAULT now())
ENGINE = MergeTree ORDER BY date
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    one = Embedded(tmp_path_factory.mktemp("server") / "clickhouse", lambda: frozenset({"my_cluster"}))
    one.start(quiet)
    yield one
    one.stop(quiet)


@pytest.fixture(scope="module")
def server(engine: Embedded) -> Iterator[Connected]:
    """One running server for all tests, which change their own databases only."""
    with engine.serve(quiet) as one:
        yield one


@pytest.fixture
def database(server: Connected) -> Iterator[str]:
    name = f"test_{uuid4().hex[:8]}"
    server.create(name, None)
    yield name
    server.drop(name)


def run(server: Connected, *statements: str) -> None:
    for statement in statements:
        server.address.query(statement)


def versions(server: Connected, database: str, table: str = "goose_db_version") -> list[int]:
    return [row.version for row in server.contents([database])[database].tables[table]]


def connection(server: Connected, database: str) -> goose.Connection:
    url = server.url(database, application="gander goose test")
    return goose.Connection(driver="clickhouse", url=url, table="goose_db_version", substitutions={})


@pytest.mark.parametrize("own", [False, True])
def test_goose_migrates_and_the_contents_say_how_far(
    engine: Embedded, server: Connected, database: str, tmp_path: Path, *, own: bool
) -> None:
    if own:
        server = Own(server.address.url, tmp_path / "locks").start(quiet)
        assert server.url(database, application="").startswith("http://")
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "20260101000000_events.sql").write_text(CREATE.format(database=database))
    (folder / "20260102000000_country.sql").write_text(ALTER.format(database=database))
    assert server.contents([database])[database].tables == {}
    began = datetime.now(UTC) - timedelta(seconds=2)
    done = goose.up(folder, connection(server, database), on_file=lambda _: None, say=quiet)
    assert done.code == 0, done.raw
    contents = server.contents([database])[database]
    assert [row.version for row in contents.tables["goose_db_version"]] == [20260101000000, 20260102000000]
    assert all(row.at and began <= row.at <= datetime.now(UTC) for row in contents.tables["goose_db_version"])
    run(server, f"INSERT INTO {database}.events (timestamp, event_name) SELECT now(), 'a' FROM numbers(3)")
    assert server.rows(database) == {"events": 3}
    done = goose.down_to(20260101000000, folder, connection(server, database), on_file=lambda _: None, say=quiet)
    assert done.code == 0, done.raw
    assert versions(server, database) == [20260101000000]
    assert engine.running()


def test_a_version_table_whose_making_was_interrupted_is_finished(
    server: Connected, database: str, tmp_path: Path
) -> None:
    (tmp_path / "1_a.sql").write_text("-- +goose Up\nSELECT 1;\n")
    assert server.finish_version_table(database, "goose_db_version") is False
    columns = "version_id Int64, is_applied UInt8, date Date default now(), tstamp DateTime default now()"
    run(server, f"CREATE TABLE {database}.goose_db_version ({columns}) ENGINE = MergeTree ORDER BY date")
    stopped = goose.up(tmp_path, connection(server, database), on_file=lambda _: None, say=lambda _: None)
    assert "no next version found" in stopped.raw
    assert server.finish_version_table(database, "goose_db_version") is True
    assert server.finish_version_table(database, "goose_db_version") is False
    done = goose.up(tmp_path, connection(server, database), on_file=lambda _: None, say=lambda _: None)
    assert done.code == 0
    assert versions(server, database) == [1]


def test_contents_of_a_missing_an_unmarked_and_a_marked_database(server: Connected, database: str) -> None:
    found = server.contents([database, "missing", "default"])
    assert found[database].mark
    assert not found["missing"].exists
    assert found["default"].exists
    assert found["default"].mark is None


def test_the_newest_row_of_a_version_decides(server: Connected, database: str) -> None:
    run(
        server,
        VERSIONS.format(database=database, table="goose_db_version"),
        f"INSERT INTO {database}.goose_db_version (version_id, is_applied, tstamp) VALUES"
        " (0, 1, 1000), (1, 1, 1000), (2, 1, 1000), (2, 0, 2000), (3, 1, 1000), (3, 0, 2000), (3, 1, 3000)",
    )
    rows = server.contents([database])[database].tables["goose_db_version"]
    assert [(row.version, row.at) for row in rows] == [
        (1, datetime.fromtimestamp(1000, UTC)),
        (3, datetime.fromtimestamp(3000, UTC)),
    ]


def test_version_tables_are_found_by_shape_whatever_their_name(server: Connected, database: str) -> None:
    odd = "of `ours` \\ 'two'"
    run(
        server,
        VERSIONS.format(database=database, table=identifier(odd)),
        f"INSERT INTO {database}.{identifier(odd)} (version_id, is_applied) VALUES (7, 1)",
        f"CREATE TABLE {database}.other (version_id String, is_applied UInt8, tstamp DateTime) ENGINE = Memory",
        f"CREATE VIEW {database}.seen AS SELECT * FROM {database}.{identifier(odd)}",
    )
    assert set(server.contents([database])[database].tables) == {odd}
    assert versions(server, database, odd) == [7]


def test_create_is_done_once_and_drop_asks_for_the_mark(server: Connected) -> None:
    name = f"it's `{uuid4().hex[:8]}`"
    mark = server.create(name, None)
    assert mark.startswith("gander:")
    assert server.create(name, None) == mark
    server.drop(name)
    assert not server.contents([name])[name].exists
    server.drop(name)


def test_somebody_elses_database_is_used_and_never_dropped(server: Connected) -> None:
    run(server, "CREATE DATABASE theirs COMMENT 'made by hand'")
    assert server.create("theirs", None) == ""
    with pytest.raises(Refused, match="was not made by us"):
        server.drop("theirs")
    assert server.contents(["theirs"])["theirs"].exists
    run(server, "DROP DATABASE theirs")


def test_one_holds_a_database_and_the_next_waits(server: Connected, database: str) -> None:
    order: list[str] = []
    said: list[str] = []

    def second() -> None:
        with server.exclusive(database, said.append):
            order.append("second")

    with server.exclusive(database, quiet):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(1.2)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
    assert said == [f"waiting for {database}: another run works on it"]


def test_an_orphaned_goose_is_waited_for(server: Connected, database: str) -> None:
    ask = {"log_comment": "gander goose gone", "database": database, "query": "SELECT sleepEachRow(1) FROM numbers(2)"}
    orphan = HTTPConnection("127.0.0.1", urlsplit(server.address.url).port or 0)
    orphan.request("GET", f"/?{urlencode(ask)}", headers=server.address._login(""))
    said: list[str] = []
    assert wait(lambda: bool(server._orphans(database)))
    began = time.monotonic()
    with server.exclusive(database, said.append):
        assert time.monotonic() - began > 0.5
    assert len(said) == 1
    assert said[0].startswith(f"waiting for {database}: an earlier goose is still at work (gander goose gone, query ")
    orphan.close()


def test_a_lock_that_cannot_be_made_is_reported(server: Connected, database: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    blocked = Connected(address=server.address, version="", embedded=True, locks=tmp_path / "file" / "locks")
    with pytest.raises(ServerError, match="cannot be locked"), blocked.exclusive(database, quiet):
        pass


def test_rows_counts_what_the_user_would_lose(server: Connected, database: str) -> None:
    run(
        server,
        VERSIONS.format(database=database, table="goose_db_version"),
        f"INSERT INTO {database}.goose_db_version (version_id, is_applied) VALUES (1, 1)",
        f"CREATE TABLE {database}.empty (n UInt64) ENGINE = MergeTree ORDER BY n",
        f"CREATE TABLE {database}.full (n UInt64) ENGINE = ReplacingMergeTree ORDER BY n",
        f"CREATE MATERIALIZED VIEW {database}.sums ENGINE = Log AS SELECT n FROM {database}.full",
        f"CREATE VIEW {database}.seen AS SELECT * FROM {database}.full",
        f"CREATE TABLE {database}.everywhere AS {database}.full ENGINE = Distributed('my_cluster', {database}, full)",
        f"CREATE TABLE {database}.log (n UInt64) ENGINE = Log",
        f"INSERT INTO {database}.full SELECT * FROM numbers(5)",
        f"INSERT INTO {database}.log SELECT 1",
    )
    assert server.rows(database) == {"full": 5, "log": 1, "sums": 5}
    (untried,) = server.try_down(database, [f"DROP TABLE {database}.full"]).untried
    assert "no transactions" in untried
    assert server.rows(database)["full"] == 5


def test_nothing_is_untried_where_nothing_can_be_lost(server: Connected, database: str) -> None:
    assert server.try_down(database, ["SELECT 1"]) == Losses(tables={})
    assert server.diagnose("gander goose test") is None
    assert server.indexes(database) == ()
    server.drop_indexes(database, ())


@pytest.mark.parametrize("cluster", ["my_cluster", "default", "{cluster}"])
def test_a_distributed_table_reaches_its_local_one(server: Connected, database: str, cluster: str) -> None:
    run(
        server,
        f"CREATE TABLE {database}.here (n UInt64) ENGINE = MergeTree ORDER BY n",
        f"CREATE TABLE {database}.everywhere AS {database}.here ENGINE = Distributed('{cluster}', {database}, here, n)",
        f"INSERT INTO {database}.everywhere SELECT * FROM numbers(3)",
        f"SYSTEM FLUSH DISTRIBUTED {database}.everywhere",
    )
    assert server.address.query(f"SELECT count() FROM {database}.everywhere") == [[3]]


def test_a_url_carries_any_name(server: Connected, engine: Embedded) -> None:
    name, application = "a b/c?d", "gander goose é&=1"
    url = urlsplit(server.url(name, application=application))
    assert (url.scheme, url.port, url.hostname) == ("clickhouse", facts(engine.home.path)["tcp"], "127.0.0.1")
    assert url.path == f"/{quote(name, safe='')}"
    assert url.query == f"log_comment={quote(application)}"
    assert not urlsplit(server.url(name, application="")).query


def test_a_refused_statement_is_reported_in_the_servers_words(server: Connected) -> None:
    with pytest.raises(ServerError, match="refused a statement") as caught:
        run(server, "SELECT * FROM nowhere.nothing")
    assert "UNKNOWN_DATABASE" in caught.value.why
    with pytest.raises(ServerError, match="refused a statement") as caught:  # fails after the first rows
        run(server, "SELECT throwIf(number = 100000) FROM numbers(200000)")
    assert "395" in caught.value.why


@pytest.mark.parametrize("text", ["", "it's", "\\", "\\'", "a\nb", "한글", "`"])
def test_literals_and_names_survive(server: Connected, text: str) -> None:
    assert server.address.query(f"SELECT {string(text)}") == [[text]]
    if text:
        assert server.address.query(f"SELECT {identifier(text)} FROM (SELECT 1 AS {identifier(text)})") == [[1]]


def test_memory_of_the_server_is_bounded(engine: Embedded) -> None:
    status = Path(f"/proc/{facts(engine.home.path)['pid']}/status")
    if not status.exists() or os.geteuid() != 0:
        pytest.skip("only Linux tells, and only root may ask")
    resident = next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
    assert resident < 600 * 1024
