"""What the example's ClickHouse services promise about their migration files, read without a server."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.goose_file import parse
from tools.clickhouse.clusters import clusters

SERVICES = Path(__file__).parents[2] / "services"
STREAMS = {
    "audit_db": SERVICES / "audit-service/migrations",
    "analytics_db": SERVICES / "analytics-service/migrations",
}
KEEPS = {
    "audit_db": (timedelta(days=5 * 365), timedelta.max),
    "analytics_db": (timedelta(days=90), timedelta(days=365)),
}
FILES = sorted(path for folder in STREAMS.values() for path in folder.glob("*.sql"))
PART = timedelta(days=31)  # a monthly part is dropped once its newest row is old enough
POLICY = """\
CREATE TABLE IF NOT EXISTS analytics_db.events ON CLUSTER 'my_cluster' (
    id UUID DEFAULT generateUUIDv7(),
    timestamp DateTime64(3),
    event_name LowCardinality(String)
) ENGINE = ReplicatedMergeTree(...)
PARTITION BY toYYYYMM(timestamp)
ORDER BY (timestamp)"""
PLACE = "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'"
CREATED = re.compile(r"CREATE (TABLE|MATERIALIZED VIEW) IF NOT EXISTS ((\w+)\.(\w+)) ON CLUSTER 'my_cluster'")
REPLICATED = re.compile(r"ENGINE = Replicated\w*MergeTree\(")
TECHNIQUES = {
    "a table that replicates": r"ENGINE = Replicated\w*MergeTree\(",
    "an engine with a parameter": r"ENGINE = Replicated\w+\('[^']+', '[^']+', \w+\)",
    "a Distributed table": r"ENGINE = Distributed\('my_cluster', ",
    "a materialized view with a target": r"CREATE MATERIALIZED VIEW [^;]*\nTO \w+\.\w+\nAS SELECT",
    "a dictionary of few values": r"LowCardinality\(String\)",
    "times with milliseconds": r"DateTime64\(3\)",
    "ids that grow with time": r"^    id UUID DEFAULT generateUUIDv7\(\),$",
    "a column added later": r"ADD COLUMN IF NOT EXISTS",
    "a time to live": r"^TTL .* \+ INTERVAL \d+ (DAY|YEAR)$",
}

every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SERVICES)))
every_stream = pytest.mark.parametrize("database", STREAMS)


def statements(path: Path) -> tuple[str, str]:
    """The one statement of Up and the one of Down."""
    parsed = parse(path.read_bytes())
    (up,), (down,) = parsed.up, parsed.down
    assert up.block
    assert down.block
    return up.text, down.text


def ups(database: str) -> dict[str, str]:
    return {path.stem: statements(path)[0] for path in sorted(STREAMS[database].glob("*.sql"))}


def stored(database: str) -> dict[str, str]:
    """The tables that hold rows: name -> definition."""
    return {found[2]: up for up in ups(database).values() if (found := CREATED.match(up)) and REPLICATED.search(up)}


@every_stream
def test_versions_are_ascending_times_in_the_past(database: str) -> None:
    versions = [path.name.partition("_")[0] for path in sorted(STREAMS[database].glob("*.sql"))]
    times = [datetime.strptime(version, "%Y%m%d%H%M%S").replace(tzinfo=UTC) for version in versions]
    assert len(set(times)) == len(times) >= 4
    assert datetime(2025, 12, 31, tzinfo=UTC) <= times[0]
    assert times[-1] < datetime(2026, 11, 1, tzinfo=UTC)


@every_file
def test_a_file_is_named_and_encoded_as_goose_takes_it(path: Path) -> None:
    assert re.fullmatch(r"\d{14}_[a-z][a-z0-9]*(_[a-z0-9]+)*\.sql", path.name)
    raw = path.read_bytes()
    assert raw.startswith(b"-- +goose Up\n-- ")
    assert raw.isascii()
    assert raw.endswith(b"-- +goose StatementEnd\n")
    assert not re.search(rb"\r|\t| $", raw, re.MULTILINE)
    assert max(map(len, raw.splitlines())) <= 120


@every_file
def test_each_direction_is_one_statement_that_can_run_again_and_on_the_whole_cluster(path: Path) -> None:
    for sql in statements(path):
        assert sql.count(";") == 1
        assert sql.endswith(";")
        assert len(re.findall(r"\bIF (NOT )?EXISTS\b", sql)) == 1
        assert sql.count("ON CLUSTER 'my_cluster'") == 1
        assert re.match(r"(CREATE|ALTER|DROP) (TABLE|VIEW|MATERIALIZED VIEW)\b", sql)
        assert not re.search(r"\b(SET|POPULATE|UPDATE|DELETE|OPTIMIZE|Nullable|Float\d+|generateUUIDv4)\b", sql)


@every_file
def test_down_undoes_what_up_does_and_waits_for_it(path: Path) -> None:
    up, down = statements(path)
    if created := CREATED.match(up):
        kind = {"TABLE": "TABLE", "MATERIALIZED VIEW": "VIEW"}[created[1]]
        assert down == f"DROP {kind} IF EXISTS {created[2]} ON CLUSTER 'my_cluster' SYNC;"
    else:
        table, column = re.findall(r"ALTER TABLE (\S+) ON|ADD COLUMN IF NOT EXISTS (\w+)", up)
        assert down.startswith(f"ALTER TABLE {table[0]} ON CLUSTER 'my_cluster'\n")
        assert f"    DROP COLUMN IF EXISTS {column[1]}\n" in down
        assert all(sql.endswith("\n    SETTINGS alter_sync = 2;") for sql in (up, down))


@every_stream
def test_every_object_is_named_with_its_database(database: str) -> None:
    for up in ups(database).values():
        objects = re.findall(
            r"\b(?:TABLE|VIEW) (?:IF NOT EXISTS )?(\S+)|\bTO (\S+)|\bFROM (\S+)|\bAS (?!SELECT\b)(\S+\.\S+)", up
        )
        assert objects
        assert all("".join(one).startswith(f"{database}.") for one in objects)


@every_stream
def test_a_table_that_replicates_has_a_place_of_its_own_in_zookeeper(database: str) -> None:
    assert stored(database)
    for up in stored(database).values():
        assert re.search(rf"MergeTree\({re.escape(PLACE)}(, \w+)?\)\n", up)


@every_stream
def test_a_table_is_kept_as_long_as_the_policy_says(database: str) -> None:
    least, most = KEEPS[database]
    for name, up in stored(database).items():
        (found,) = re.findall(r"^TTL .* \+ INTERVAL (\d+) (DAY|YEAR)$", up, re.MULTILINE)
        kept = timedelta(days=int(found[0]) * {"DAY": 1, "YEAR": 365}[found[1]])
        assert least <= kept, name
        assert "\nSETTINGS ttl_only_drop_parts = 1;" in up
        assert most == timedelta.max or kept + PART <= most, name


@every_stream
def test_months_are_partitions_and_no_sorting_key_begins_with_an_id(database: str) -> None:
    for up in stored(database).values():
        assert re.search(r"^PARTITION BY toYYYYMM\(\w+\)$", up, re.MULTILINE)
        (key,) = re.findall(r"^ORDER BY \((.*)\)$", up, re.MULTILINE)
        assert not key.startswith("id")
        assert all(re.search(rf"^    {column} ", up, re.MULTILINE) for column in key.split(", "))


@every_stream
def test_a_distributed_table_follows_its_local_table_in_everything(database: str) -> None:
    files = list(ups(database).items())
    for at, (name, up) in enumerate(files):
        if name.endswith("_distributed"):
            _, before = files[at - 1]
            assert name[15:] == f"{files[at - 1][0][15:]}_distributed"
            if "ADD COLUMN" in up:
                assert up == re.sub(r"(ALTER TABLE \S+)", r"\1_distributed", before)
            else:
                table = CREATED.match(before)
                assert table
                assert f" AS {table[2]}\nENGINE = Distributed('my_cluster', '{table[3]}', '{table[4]}'" in up
        elif "ADD COLUMN" in up or REPLICATED.search(up):
            assert files[at + 1][0].endswith("_distributed")


@every_stream
def test_a_view_comes_after_its_target_and_its_source_changes_no_more(database: str) -> None:
    files = list(ups(database).values())
    views = [at for at, up in enumerate(files) if "MATERIALIZED VIEW" in up]
    assert views
    for at in views:
        target, source = re.findall(r"\n(?:TO|FROM) (\S+)", files[at])
        assert any(up.startswith(f"CREATE TABLE IF NOT EXISTS {target} ") for up in files[:at])
        assert not any(up.startswith(f"ALTER TABLE {source} ") for up in files[at:])


@every_stream
def test_a_stream_shows_its_techniques(database: str) -> None:
    text = "\n".join(ups(database).values())
    assert [name for name, pattern in TECHNIQUES.items() if not re.search(pattern, text, re.MULTILINE)] == []


def test_the_one_cluster_is_the_policys() -> None:
    assert clusters(path.read_bytes() for path in FILES) == {"default", "my_cluster"}


def test_the_policys_own_example_is_a_migration() -> None:
    (path,) = STREAMS["analytics_db"].glob("*_create_events.sql")
    up, down = statements(path)
    assert up.startswith(f"{POLICY.replace('...', PLACE)}\n")
    assert down.startswith("DROP TABLE IF EXISTS analytics_db.events ON CLUSTER 'my_cluster'")
