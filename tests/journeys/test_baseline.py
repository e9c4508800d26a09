"""`doit baseline`: a database elsewhere that Prisma or people began; local ones begin with the same, and prove it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.journeys.clickhouse import CREATE, clickhouse, query, server
from tests.journeys.conftest import Monorepo, lend, small

BEFORE = """
CREATE EXTENSION citext;
CREATE SCHEMA billing;
CREATE TYPE mood AS ENUM ('ok', 'it''s');
CREATE TABLE users (
    id TEXT PRIMARY KEY DEFAULT gen_random_uuid()::TEXT, email CITEXT NOT NULL UNIQUE, mood mood DEFAULT 'ok',
    born DATE CHECK (born > '1900-01-01')
);
COMMENT ON TABLE users IS 'people; all of
them';
CREATE TABLE billing.invoices (
    id BIGINT GENERATED ALWAYS AS IDENTITY, user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    at TIMESTAMPTZ(6) NOT NULL, PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE TABLE billing.invoices_2026 PARTITION OF billing.invoices FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.email := lower(NEW.email); RETURN NEW; END $$;
CREATE TRIGGER users_touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
CREATE VIEW grown AS SELECT id FROM users WHERE born < '2000-01-01';
CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM users;
CREATE INDEX users_partial ON users (born) WHERE mood = 'ok';
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON users USING (id = current_user);
CREATE TABLE "Odd name" (id SERIAL PRIMARY KEY);
"""
FILES = {
    "00001_a.sql": (
        "ALTER TABLE users ADD COLUMN nickname TEXT;\nALTER TYPE mood RENAME TO feeling;",
        "ALTER TYPE feeling RENAME TO mood;\nALTER TABLE users DROP COLUMN nickname;",
    ),
    "00002_b.sql": (
        "CREATE TABLE devices (id TEXT PRIMARY KEY, user_id TEXT REFERENCES users (id));\nDROP VIEW grown;",
        "CREATE VIEW grown AS SELECT id FROM users WHERE born < '2000-01-01';\nDROP TABLE devices;",
    ),
}
SERVICES = """
version: 1
environments: {{local: {{}}, dev: {{}}}}
services:
  shop: {{databases: {{main: {{engine: postgres, name: {{dev: shop_main}}{}}}}}}}
"""
BASELINE = ", baseline: services/shop/baseline.sql"
TILL = "  till: {databases: {main: {engine: postgres, name: {dev: till_main}}}}\n"


@pytest.fixture(scope="module")
def dev(empty_server: Monorepo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a dev that people had begun before goose came: with both files applied."""
    there = lend(empty_server, small(tmp_path_factory.mktemp("baseline"), {"shop": {}}))
    url = there.urls()["shop/main"]
    parts = psycopg.conninfo.conninfo_to_dict(url)
    with psycopg.connect(url, dbname="postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{parts["dbname"]}"'.encode())
    there.sql("shop/main", BEFORE)
    there.sql("shop/main", "INSERT INTO users (email) VALUES ('a@example.com')")
    for name, (up, down) in FILES.items():
        there.write("shop", name, up, down)
    there.fine("migrate")
    yield url
    there.stop()


@pytest.fixture
def mine(dev: str, empty_server: Monorepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Monorepo]:
    """A monorepo with the two files, and a third that dev does not have yet."""
    monkeypatch.setenv("SHOP_MAIN_DEV_URL", dev)
    monorepo = lend(empty_server, small(tmp_path, {"shop": {}}))
    (monorepo.root / "services.yaml").write_text(SERVICES.format(""))
    for name, (up, down) in FILES.items():
        monorepo.write("shop", name, up, down)
    monorepo.write("shop", "00003_c.sql", "CREATE TABLE later (id TEXT);", "DROP TABLE later;")
    yield monorepo
    monorepo.stop()


def _with_baseline(monorepo: Monorepo) -> Path:
    monorepo.fine("baseline:shop@dev")
    (monorepo.root / "services.yaml").write_text(SERVICES.format(BASELINE))
    return monorepo.root / "services" / "shop" / "baseline.sql"


def test_what_was_there_before_is_written_and_local_databases_begin_with_it(mine: Monorepo, dev: str) -> None:
    failed = mine.doit("migrate")
    assert 'relation "users" does not exist' in failed.stderr
    assert "doit baseline:SERVICE@ENVIRONMENT" in failed.stderr
    done = mine.fine("baseline:shop@dev")
    assert done.stdout == "services/shop/baseline.sql\n"
    assert "now say so in services.yaml, at shop/main:   baseline: services/shop/baseline.sql" in done.stderr
    assert "written; with the applied files (2) it makes what dev holds" in done.stderr
    text = (mine.root / "services" / "shop" / "baseline.sql").read_text()
    assert text.split("\n\n")[1].startswith("SET "), "nothing is left of what pg_dump says of itself"
    assert not text.endswith("--\n")
    assert "nickname" not in text
    assert "devices" not in text
    assert "goose" not in text
    assert "a@example.com" not in text
    assert all(word in text for word in ("citext", "billing.invoices_2026", "'it''s'", "POLICY own", '"Odd name"'))
    (mine.root / "services.yaml").write_text(SERVICES.format(BASELINE))
    assert "3 files applied" in mine.fine("migrate").stderr
    assert mine.sql("shop/main", "SELECT count(*) FROM users") == [(0,)]
    assert "is what 2 applied files build" in mine.fine("drift:shop@dev").stdout
    assert "3 files" in mine.fine("test").stderr
    assert "up to date" in mine.fine("migrate").stderr
    with psycopg.connect(dev) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (1,)


def test_a_file_that_is_there_is_replaced_only_when_asked(mine: Monorepo) -> None:
    path = _with_baseline(mine)
    before = path.read_text()
    path.write_text("-- mine")
    refused = mine.doit("baseline:shop@dev")
    assert refused.returncode == 1
    assert "→ if it may be replaced: doit baseline:shop/main@dev force=true" in refused.stderr
    assert path.read_text() == "-- mine"
    mine.fine("baseline:shop@dev", "force=true")
    assert path.read_text() == before
    assert {one.name for one in path.parent.iterdir()} == {"migrations", "baseline.sql"}


def test_a_local_database_that_began_otherwise_is_refused_once_it_has_a_history_and_reset_begins_anew(
    mine: Monorepo,
) -> None:
    path = _with_baseline(mine)
    mine.fine("migrate")
    with path.open("a") as file:
        file.write("CREATE TABLE public.added (id TEXT);\n")
    refused = mine.doit("migrate")
    assert "services/shop/baseline.sql is not what the local database of shop/main began with" in refused.stderr
    assert "doit reset:shop/main" in refused.stderr
    mine.fine("reset:shop")
    assert mine.sql("shop/main", "SELECT count(*) FROM added") == [(0,)]


def test_an_empty_local_database_begins_anew_by_itself(mine: Monorepo) -> None:
    assert mine.doit("migrate").returncode == 1  # it makes the database, and the first file fails
    _with_baseline(mine)
    assert "3 files applied" in mine.fine("migrate").stderr


def test_a_baseline_that_the_server_refuses_is_told_with_its_line_and_nothing_is_made(mine: Monorepo) -> None:
    path = _with_baseline(mine)
    path.write_text("CREATE TABLE one (id TEXT);\n\nCREATE TABLE two (id NOSUCH);\n")
    failed = mine.doit("migrate")
    assert failed.returncode == 1
    assert "services/shop/baseline.sql:3: the baseline cannot be loaded" in failed.stderr
    assert 'type "nosuch" does not exist' in failed.stderr
    assert mine.doit("status").stdout.startswith("shop/main  no database shop_main yet")
    path.unlink()
    missing = mine.doit("migrate")
    assert "services/shop/baseline.sql: shop/main: its baseline cannot be read" in missing.stderr
    assert "doit baseline:shop/main@dev" in missing.stderr


def test_a_baseline_that_is_gone_is_told_of_its_own_database_alone(mine: Monorepo) -> None:
    path = _with_baseline(mine)
    (mine.root / "services.yaml").write_text(SERVICES.format(BASELINE) + TILL)
    mine.write("till", "00001_a.sql", "CREATE TABLE sold (id TEXT);", "DROP TABLE sold;")
    mine.fine("migrate")
    path.unlink()
    status = mine.doit("status")
    assert status.returncode == 1
    assert "till/main  at head" in status.stdout
    assert "shop/main  at head" not in status.stdout
    assert "it did not begin with services/shop/baseline.sql: doit reset:shop/main" in status.stdout
    again = mine.doit("migrate")
    assert again.returncode == 1
    assert "services/shop/baseline.sql: shop/main: its baseline cannot be read" in again.stderr
    assert "migrate:till/main" not in "".join(line for line in again.stderr.splitlines() if line.startswith("✗"))


def test_what_a_down_does_not_take_out_is_told_and_nothing_is_written(mine: Monorepo) -> None:
    forgets = mine.write("shop", "00002_b.sql", FILES["00002_b.sql"][0], "DROP TABLE devices;")
    refused = mine.doit("baseline:shop@dev")
    assert refused.returncode == 1
    assert "nothing is written" in refused.stderr
    assert "grown" in refused.stderr
    forgets.write_text(f"-- +goose Up\n{FILES['00002_b.sql'][0]}\n")
    refused = mine.doit("baseline:shop@dev")
    assert "00002_b.sql has no Down, so what it makes could not be taken out" in refused.stderr
    mine.write("shop", "00002_b.sql", FILES["00002_b.sql"][0], "DROP TABLE nosuch;")
    refused = mine.doit("baseline:shop@dev")
    assert "while what the files made was taken out of the schema of shop/main@dev" in refused.stderr
    assert not (mine.root / "services" / "shop" / "baseline.sql").exists()


def test_where_the_files_make_everything_none_is_needed(
    empty_server: Monorepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = lend(empty_server, small(tmp_path / "there", {"shop": {}}))
    there.write("shop", "00001_a.sql", "CREATE TABLE a (id TEXT);", "DROP TABLE a;")
    there.fine("migrate")
    monkeypatch.setenv("SHOP_MAIN_DEV_URL", there.urls()["shop/main"])
    (there.root / "services.yaml").write_text(SERVICES.format(""))
    done = there.fine("baseline:shop@dev")
    assert "no baseline is needed: the applied files (1) make all that dev holds" in done.stderr
    assert done.stdout == ""
    there.stop()


LOGS = {
    "00001_a.sql": CREATE.format(db="logs", table="a"),
    "00002_b.sql": "-- +goose Up\nALTER TABLE logs.old ON CLUSTER 'my_cluster' ADD COLUMN IF NOT EXISTS more String;\n"
    "-- +goose Down\nALTER TABLE logs.old ON CLUSTER 'my_cluster' DROP COLUMN IF EXISTS more;\n",
}
OLD = (
    "CREATE DATABASE logs",
    "CREATE FUNCTION doubled AS (x) -> x * 2",
    "CREATE TABLE logs.zz (id UInt64, n UInt64 DEFAULT doubled(id)) ENGINE = MergeTree ORDER BY id COMMENT 'it''s;'",
    "CREATE TABLE logs.old (id UInt64, at DateTime) ENGINE = MergeTree ORDER BY id TTL at + toIntervalYear(5)",
    "CREATE TABLE logs.all AS logs.old ENGINE = Distributed('default', 'logs', 'old')",
    "CREATE VIEW logs.av AS SELECT id FROM logs.zv",
    "CREATE VIEW logs.zv AS SELECT id FROM logs.old",
    "CREATE MATERIALIZED VIEW logs.am TO logs.zz AS SELECT id FROM logs.old",
    "CREATE DICTIONARY logs.d (id UInt64, n UInt64) PRIMARY KEY id SOURCE(NULL()) LIFETIME(0) LAYOUT(FLAT())",
)


def test_clickhouse_has_one_too_in_its_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dev, mine = (clickhouse(tmp_path / name, {"logs": LOGS}) for name in ("dev", "mine"))
    document = json.loads((mine.root / "services.yaml").read_text())
    document["environments"]["dev"] = {}
    (mine.root / "services.yaml").write_text(json.dumps(document))
    assert "doit baseline:SERVICE@ENVIRONMENT" in mine.doit("migrate").stderr
    query(dev, *sorted(OLD, key=lambda one: "logs.av" in one))  # that view reads another
    dev.fine("migrate")
    with server(dev) as there:
        monkeypatch.setenv("LOGS_MAIN_DEV_URL", there.address.url + "/logs")
        assert mine.fine("baseline:logs@dev").stdout == "services/logs/baseline.sql\n"
        document["services"]["logs"]["databases"]["main"]["baseline"] = "services/logs/baseline.sql"
        (mine.root / "services.yaml").write_text(json.dumps(document))
        assert "doit reset:logs/main" in mine.doit("migrate").stderr  # the first file was applied without it
        assert "2 files applied" in mine.fine("reset:logs").stderr
        assert "is what 2 applied files build" in mine.fine("drift:logs@dev").stdout
    text = (mine.root / "services" / "logs" / "baseline.sql").read_text()
    assert "more" not in text
    assert "logs.a\n" not in text
    assert "doubled" in text
    mine.fine("test")
    (mine.root / "services" / "logs" / "baseline.sql").write_text(
        "CREATE TABLE logs.one (id UInt64) ENGINE = Nosuch;\n"
    )
    failed = mine.doit("test")
    assert "services/logs/baseline.sql:1: the baseline cannot be loaded" in failed.stderr


def test_a_baseline_that_was_interrupted_is_begun_again(tmp_path: Path) -> None:
    mine = clickhouse(tmp_path, {"logs": LOGS}, more={"baseline": "services/logs/baseline.sql"})
    (mine.root / "services" / "logs" / "baseline.sql").write_text(f"{OLD[3]};\n")
    mark = f"gander:{'0' * 8}-{'0' * 4}-{'0' * 4}-{'0' * 4}-{'0' * 12} baseline {'0' * 64} loading"
    query(mine, f"CREATE DATABASE logs COMMENT '{mark}'", "CREATE TABLE logs.half (id UInt64) ENGINE = Memory")
    assert "2 files applied" in mine.fine("migrate").stderr
    assert query(mine, "SELECT name FROM system.tables WHERE database = 'logs' AND name = 'half'") == []
