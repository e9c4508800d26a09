"""What the rules about goose files predict, done by the real goose on real servers.

Each test runs files that one rule finds fault with, and sees what the rule says will happen.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import yaml

from schemas.catalog import EngineName
from tasks.lint.gather import gather
from tasks.lint.look import look
from tasks.lint.record import Records
from tests.tasks.lint.conftest import database
from tools import clickhouse, goose, postgres, shell, toolchain
from tools.clickhouse.syntax import Parser
from tools.goose import Connection, Result

CASES: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "cases" / "goose.yaml").read_text())
FIRST = "-- +goose Up\nCREATE TABLE first (id TEXT PRIMARY KEY);\n-- +goose Down\nDROP TABLE first;\n"
SECOND = "20260102000000_second.sql"


def quiet(line: str) -> None:
    """Say nothing."""


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    home = tmp_path_factory.mktemp("servers")
    one = postgres.Embedded(home / "postgres", toolchain.postgres(quiet), scratch=True)
    other = clickhouse.Embedded(home / "clickhouse", scratch=True)
    with one.serve(quiet) as pg, other.serve(quiet) as ch:
        yield {"postgres": pg, "clickhouse": ch}


class Trial:
    """A stream of its own on a database of its own."""

    def __init__(self, root: Path, servers: dict[str, Any], parser: Parser, engine: EngineName = "postgres") -> None:
        self.root, self.server, self.parser, self.engine = root, servers[engine], parser, engine
        self.name = f"t{uuid4().hex[:12]}"
        self.folder = root / "m"
        self.folder.mkdir()
        self.server.create(self.name, None)
        if engine == "postgres":
            self.write("20260101000000_first.sql", FIRST)

    def write(self, name: str, text: str | bytes) -> None:
        data = text if isinstance(text, bytes) else text.replace("{db}", self.name).encode()
        (self.folder / name).write_bytes(data)

    @property
    def connection(self) -> Connection:
        url = self.server.url(self.name, application="test")
        return Connection(driver=self.engine, url=url, table="goose_db_version", substitutions={})

    def up(self) -> Result:
        return goose.up(self.folder, self.connection, on_file=lambda _: None, say=quiet)

    def down(self, version: int = 0) -> Result:
        return goose.down_to(version, self.folder, self.connection, on_file=lambda _: None, say=quiet)

    def codes(self, *severities: str) -> set[str]:
        """What lint finds in the stream."""
        mine = database(self.engine, names={"local": self.name})
        records = Records(self.root / "lint.db")
        try:
            found = look(gather(self.root, mine, ".", None, self.parser), records).findings
        finally:
            records.close()
        return {one.code for one in found if one.severity in (severities or ("error", "warning"))}

    def ask(self, query: str) -> list[Any]:
        if self.engine == "clickhouse":
            return [row[0] for row in self.server.address.query(query)]
        with psycopg.connect(self.server.url(self.name, application="test"), autocommit=True) as connection:
            return [row[0] for row in connection.execute(query.encode()).fetchall()]

    @property
    def table(self) -> str:
        return f"{self.name}.goose_db_version" if self.engine == "clickhouse" else "goose_db_version"

    def versions(self) -> set[int]:
        return {int(one) for one in self.ask(f"SELECT version_id FROM {self.table}")} - {0}

    def tables(self) -> set[str]:
        found = self.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return set(found) - {"goose_db_version"}


@pytest.fixture
def trial(tmp_path: Path, servers: dict[str, Any], parser: Parser) -> Trial:
    return Trial(tmp_path, servers, parser)


@pytest.fixture
def house(tmp_path: Path, servers: dict[str, Any], parser: Parser) -> Trial:
    return Trial(tmp_path, servers, parser, "clickhouse")


@pytest.mark.parametrize("name", CASES["goose refuses"])
def test_goose_refuses_the_file_after_it_has_applied_the_one_before(name: str, trial: Trial) -> None:
    trial.write(SECOND, CASES["goose refuses"][name])
    done = trial.up()
    assert done.code == 1
    assert "failed to parse SQL migration file" in done.raw
    assert trial.tables() == {"first"}
    assert name[:4] in trial.codes()


@pytest.mark.parametrize("name", CASES["a server refuses"])
def test_the_server_refuses_what_goose_sends(name: str, trial: Trial) -> None:
    case = CASES["a server refuses"][name]
    statement = case["latin1"].encode("latin-1") if "latin1" in case else case["statement"].encode()
    trial.write(SECOND, b"-- +goose Up\n%b\n-- +goose Down\nSELECT 1;\n" % statement)
    done = trial.up()
    assert done.code == 1
    assert case["says"] in done.raw
    assert trial.versions() == {20260101000000}
    assert name[:4] in trial.codes("error")


def test_gs02_and_gs03_a_rollback_reports_success_changes_nothing_and_the_next_up_fails(trial: Trial) -> None:
    for down, code in (("", "GS02"), ("-- +goose Down\n", "GS03")):
        trial.write(SECOND, f"-- +goose Up\nCREATE TABLE kept (id TEXT);\n{down}")
        assert trial.up().code == 0
        assert trial.down(20260101000000).code == 0
        assert "kept" in trial.tables()
        assert 20260102000000 not in trial.versions()
        assert 'relation "kept" already exists' in trial.up().raw
        assert trial.codes("error") == {code}
        with psycopg.connect(trial.server.url(trial.name, application="test"), autocommit=True) as connection:
            connection.execute("DROP TABLE kept")


def test_gs06_goose_leaves_out_what_follows_an_empty_block(trial: Trial) -> None:
    empty = "-- +goose StatementBegin\n-- +goose StatementEnd\n"
    trial.write(SECOND, f"-- +goose Up\n{empty}CREATE TABLE lost (id TEXT);\n-- +goose Down\nSELECT 1;\n")
    assert trial.up().code == 0
    assert trial.tables() == {"first"}
    assert trial.codes("error") == {"GS06"}


def test_gs10_what_failed_half_way_stops_each_further_run(trial: Trial) -> None:
    up = "CREATE TABLE half (id TEXT);\nALTER TABLE nowhere ADD COLUMN a TEXT;"
    trial.write(SECOND, f"-- +goose NO TRANSACTION\n-- +goose Up\n{up}\n-- +goose Down\nSELECT 1;\n")
    assert trial.up().code == 1
    assert trial.tables() == {"first", "half"}
    assert 20260102000000 not in trial.versions()
    assert 'relation "half" already exists' in trial.up().raw
    assert "GS10" in trial.codes("error")


def test_gs11_a_commit_inside_leaves_half_a_file(trial: Trial) -> None:
    up = "CREATE TABLE half (id TEXT);\nCOMMIT;\nALTER TABLE nowhere ADD COLUMN a TEXT;"
    trial.write(SECOND, f"-- +goose Up\n{up}\n-- +goose Down\nDROP TABLE half;\n")
    assert trial.up().code == 1
    assert trial.tables() == {"first", "half"}
    assert 20260102000000 not in trial.versions()
    assert "GS11" in trial.codes("error")


def test_gs11_a_rollback_inside_loses_what_is_recorded(trial: Trial) -> None:
    trial.write(SECOND, "-- +goose Up\nCREATE TABLE gone (id TEXT);\nROLLBACK;\n-- +goose Down\nDROP TABLE gone;\n")
    trial.up()
    assert trial.tables() == {"first"}
    assert 20260102000000 in trial.versions()
    assert "GS11" in trial.codes("error")


def test_gs12_a_variable_that_is_not_set_becomes_nothing(trial: Trial) -> None:
    up = "-- +goose ENVSUB ON\nINSERT INTO first VALUES ('a${NOT_SET}b');\n-- +goose ENVSUB OFF"
    trial.write(SECOND, f"-- +goose Up\n{up}\n-- +goose Down\nDELETE FROM first;\n")
    assert trial.up().code == 0
    assert trial.ask("SELECT id FROM first") == ["ab"]
    assert trial.codes() == {"GS12"}


def test_gs13_a_template_is_recorded(trial: Trial) -> None:
    trial.write(SECOND, "-- +goose Up\nSELECT 'up SQL query';\n-- +goose Down\nSELECT 'down SQL query';\n")
    assert trial.up().code == 0
    assert 20260102000000 in trial.versions()
    assert trial.codes("error") == {"GS13"}


def test_gs14_one_version_twice_is_a_panic_and_an_older_file_is_refused(trial: Trial) -> None:
    trial.write("20260101000000_other.sql", FIRST)
    done = trial.up()
    assert (done.code, "panic" in done.raw) == (2, True)
    assert trial.codes("error") == {"GS14"}
    (trial.folder / "20260101000000_other.sql").unlink()
    assert trial.up().code == 0
    trial.write("20251231000000_late.sql", "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 1;\n")
    done = trial.up()
    assert (done.code, "missing" in done.raw) == (1, True)
    (trial.folder / "20251231000000_late.sql").rename(trial.folder / "late.sql")
    assert trial.up().code == 1
    assert "GS14" in trial.codes("error")


def test_gs15_goose_does_not_notice_a_changed_file(trial: Trial) -> None:
    assert trial.up().code == 0
    trial.write("20260101000000_first.sql", FIRST.replace("id TEXT", "name TEXT"))
    done = trial.up()
    assert (done.code, "no migrations to run" in done.raw) == (0, True)
    (trial.folder / "20260101000000_first.sql").unlink()
    trial.write(SECOND, "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 1;\n")
    assert trial.up().code == 0
    assert trial.down().code == 1


def test_gs17_a_dotenv_leads_goose_elsewhere(trial: Trial) -> None:
    (trial.folder / ".env").write_text(
        f"GOOSE_DRIVER=postgres\nGOOSE_DBSTRING={trial.connection.url}\nGOOSE_MIGRATION_DIR={trial.folder}\n"
    )
    done = shell.run([toolchain.goose(quiet), "up"], environment=shell.inherited(), timeout=60, cwd=trial.folder)
    assert done.code == 0
    assert trial.tables() == {"first"}
    assert trial.codes("error") == {"GS17"}


def test_gs19_a_setting_is_still_on_in_the_next_file(trial: Trial) -> None:
    trial.write(SECOND, "-- +goose Up\nSET lock_timeout = '7s';\n-- +goose Down\nSELECT 1;\n")
    next_ = "INSERT INTO first SELECT current_setting('lock_timeout');"
    trial.write("20260103000000_third.sql", f"-- +goose Up\n{next_}\n-- +goose Down\nDELETE FROM first;\n")
    assert trial.up().code == 0
    assert trial.ask("SELECT id FROM first") == ["7s"]
    assert trial.codes("error") == {"GS19"}


def test_gs20_what_down_leaves_stops_the_next_up(trial: Trial) -> None:
    up = "CREATE TYPE mood AS ENUM ('a');\nCREATE TABLE days (mood mood);"
    trial.write(SECOND, f"-- +goose Up\n{up}\n-- +goose Down\nDROP TABLE days;\n")
    assert (trial.up().code, trial.down(20260101000000).code) == (0, 0)
    assert 'type "mood" already exists' in trial.up().raw
    assert trial.codes() == {"GS20"}


def test_gs21_without_its_table_goose_cannot_record(trial: Trial) -> None:
    trial.write(SECOND, "-- +goose Up\nSELECT 1;\n-- +goose Down\nDROP SCHEMA public CASCADE;\n")
    assert trial.up().code == 0
    assert trial.down(20260101000000).code == 1
    assert trial.versions() == {20260101000000, 20260102000000}
    assert trial.codes("error") == {"GS21"}


def test_gs21_without_a_transaction_the_history_is_gone(trial: Trial) -> None:
    drop = "-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1;\n-- +goose Down\nDROP TABLE goose_db_version;\n"
    trial.write(SECOND, drop)
    assert trial.up().code == 0
    assert trial.down(20260101000000).code == 1
    assert 'relation "first" already exists' in trial.up().raw
    assert trial.codes("error") == {"GS21"}


def test_gs21_on_clickhouse_everything_runs_again(house: Trial) -> None:
    create = "CREATE TABLE IF NOT EXISTS {db}.events (id UInt64) ENGINE = MergeTree ORDER BY id;"
    house.write(SECOND, f"-- +goose Up\n{create}\n-- +goose Down\nDROP DATABASE IF EXISTS {{db}} SYNC;\n")
    assert house.up().code == 0
    assert house.down().code == 1
    house.server.create(house.name, None)
    assert house.up().code == 0
    assert house.versions() == {20260102000000}
    assert "GS21" in house.codes("error")


@pytest.mark.parametrize("name", CASES["ClickHouse refuses"])
def test_clickhouse_refuses_with_code_62(name: str, house: Trial) -> None:
    house.write(SECOND, f"-- +goose Up\n{CASES['ClickHouse refuses'][name]}\n-- +goose Down\nSELECT 1;\n")
    done = house.up()
    assert done.code == 1
    assert "code: 62" in done.raw
    assert name[:4] in house.codes("error")
