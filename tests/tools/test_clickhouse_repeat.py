"""Which statements may run again: by kind, and what is called repeatable really leaves everything as it is."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tools.conftest import quiet
from tools.clickhouse import Embedded
from tools.clickhouse.doomed import doomed
from tools.clickhouse.repeat import repeatable
from tools.clickhouse.server import Connected

SCHEMA = """
CREATE TABLE {db}.t (
    id UInt64, n UInt64, name String DEFAULT 'x' CODEC(ZSTD) COMMENT 'c',
    at DateTime DEFAULT now() TTL at + INTERVAL 1 YEAR,
    note String, INDEX i n TYPE minmax, CONSTRAINT positive CHECK n >= 0, PROJECTION p (SELECT n ORDER BY n)
) ENGINE = MergeTree PARTITION BY id % 2 ORDER BY id SAMPLE BY id TTL at + INTERVAL 2 YEAR
SETTINGS merge_max_block_size = 100
;;
INSERT INTO {db}.t (id, n, at) SELECT number, number, now() FROM numbers(10)
;;
CREATE TABLE {db}.sums (id UInt64, total UInt64) ENGINE = SummingMergeTree ORDER BY id
;;
CREATE MATERIALIZED VIEW {db}.mv TO {db}.sums AS SELECT id, n AS total FROM {db}.t
"""
STATE = "SELECT name, create_table_query, total_rows FROM system.tables WHERE database = '{db}' ORDER BY 1"

YES = {
    "a table if it is missing": "CREATE TABLE IF NOT EXISTS {db}.a (id UInt64) ENGINE = MergeTree ORDER BY id",
    "a table of a cluster if it is missing": "CREATE TABLE IF NOT EXISTS `{db}`.a /* here */ (n Int8) ENGINE = Memory",
    "a view if it is missing": "CREATE VIEW IF NOT EXISTS {db}.v AS SELECT id FROM {db}.t",
    "a materialized view if it is missing": (
        "CREATE MATERIALIZED VIEW IF NOT EXISTS {db}.m TO {db}.sums AS SELECT id, n AS total FROM {db}.t"
    ),
    "a dictionary if it is missing": (
        "CREATE DICTIONARY IF NOT EXISTS {db}.d (id UInt64, n UInt64) PRIMARY KEY id"
        " SOURCE(CLICKHOUSE(TABLE 't' DB '{db}')) LIFETIME(0) LAYOUT(FLAT())"
    ),
    "a database if it is missing": "CREATE DATABASE IF NOT EXISTS {db}",
    "a table or a new one in its place": "CREATE OR REPLACE TABLE {db}.a (id UInt64) ENGINE = MergeTree ORDER BY id",
    "a new table in its place with rows": (
        "CREATE OR REPLACE TABLE {db}.a ENGINE = MergeTree ORDER BY id AS SELECT id FROM {db}.t"
    ),
    "a view or a new one in its place": "CREATE OR REPLACE VIEW {db}.v AS SELECT id FROM {db}.t",
    "a table dropped if it is there": "DROP TABLE IF EXISTS {db}.t SYNC",
    "a view dropped if it is there": "drop view if exists {db}.mv",
    "a dictionary dropped if it is there": "DROP DICTIONARY IF EXISTS {db}.nothing",
    "a table emptied": "TRUNCATE TABLE {db}.t",
    "a table emptied if it is there": "TRUNCATE TABLE IF EXISTS {db}.t",
    "a table put together": "OPTIMIZE TABLE {db}.t FINAL",
    "a setting": "SET max_threads = 2",
    "a question": "SELECT count() FROM {db}.t",
    "a command to the server": "SYSTEM FLUSH LOGS",
    "a column if it is missing": "ALTER TABLE {db}.t ADD COLUMN IF NOT EXISTS comment String AFTER n",
    "an index if it is missing": "ALTER TABLE {db}.t ADD INDEX IF NOT EXISTS j note TYPE bloom_filter GRANULARITY 1",
    "a constraint if it is missing": "ALTER TABLE {db}.t ADD CONSTRAINT IF NOT EXISTS c CHECK n < 1000",
    "a projection if it is missing": "ALTER TABLE {db}.t ADD PROJECTION IF NOT EXISTS q (SELECT id, n ORDER BY n)",
    "a column dropped if it is there": "ALTER TABLE {db}.t DROP COLUMN IF EXISTS note SETTINGS alter_sync = 2",
    "a column of another type": "ALTER TABLE {db}.t MODIFY COLUMN n UInt32",
    "a column with another default": "ALTER TABLE {db}.t MODIFY COLUMN note DEFAULT 'none'",
    "a column's remark": "ALTER TABLE {db}.t COMMENT COLUMN n 'how many'",
    "a table's remark": "ALTER TABLE {db}.t MODIFY COMMENT 'things'",
    "another time to live": "ALTER TABLE {db}.t MODIFY TTL at + INTERVAL 3 YEAR",
    "settings of a table": "ALTER TABLE {db}.t MODIFY SETTING merge_max_block_size = 200, parts_to_throw_insert = 500",
    "two settings of the statement": (
        "ALTER TABLE {db}.t ADD COLUMN IF NOT EXISTS k String SETTINGS alter_sync = 2, mutations_sync = 2"
    ),
    "several commands": "ALTER TABLE {db}.t ADD COLUMN IF NOT EXISTS k Decimal(9, 2), DROP INDEX IF EXISTS i",
    "a column renamed if it is there": "ALTER TABLE {db}.t RENAME COLUMN IF EXISTS note TO remark",
    "an index built": "ALTER TABLE {db}.t MATERIALIZE INDEX i SETTINGS mutations_sync = 2",
    "rows deleted": "ALTER TABLE {db}.t DELETE WHERE id = 3 SETTINGS mutations_sync = 2",
    "rows deleted lightly": "DELETE FROM {db}.sums WHERE id = 4",
    "another query of a view": "ALTER TABLE {db}.mv MODIFY QUERY SELECT id, n + 1 AS total FROM {db}.t",
}
NO = {
    "rows": "INSERT INTO {db}.t (id) VALUES (100)",
    "rows of a question": "INSERT INTO {db}.t (id) SELECT number FROM numbers(3)",
    "a table": "CREATE TABLE {db}.a (id UInt64) ENGINE = MergeTree ORDER BY id",
    "a table whose name has the words": "CREATE TABLE {db}.`IF NOT EXISTS` (id UInt64) ENGINE = Memory",
    "a table with the words in a remark": "CREATE TABLE {db}.a (id UInt64) ENGINE = Memory COMMENT 'IF NOT EXISTS'",
    "a table with the words behind dashes": "CREATE TABLE {db}.a -- IF NOT EXISTS\n(id UInt64) ENGINE = Memory",
    "a table with rows, half of which may be there": (
        "CREATE TABLE IF NOT EXISTS {db}.a ENGINE = MergeTree ORDER BY id AS SELECT id FROM {db}.t"
    ),
    "a view with rows, half of which may be there": (
        "CREATE MATERIALIZED VIEW IF NOT EXISTS {db}.m ENGINE = MergeTree ORDER BY id POPULATE AS SELECT id FROM {db}.t"
    ),
    "a dropped table": "DROP TABLE {db}.t",
    "a renamed table": "RENAME TABLE {db}.t TO {db}.u",
    "two tables exchanged": "EXCHANGE TABLES {db}.t AND {db}.sums",
    "a column": "ALTER TABLE {db}.t ADD COLUMN k String",
    "a column called comment": "ALTER TABLE {db}.t ADD COLUMN comment String",
    "a column called modify": "ALTER TABLE {db}.t ADD COLUMN modify String AFTER n",
    "a column with a remark": "ALTER TABLE {db}.t ADD COLUMN k String COMMENT 'ADD COLUMN IF NOT EXISTS'",
    "a dropped column": "ALTER TABLE {db}.t DROP COLUMN note",
    "one of several commands": "ALTER TABLE {db}.t ADD COLUMN IF NOT EXISTS k String, ADD COLUMN j String",
    "rows changed": "ALTER TABLE {db}.t UPDATE n = n + 1 WHERE 1 SETTINGS mutations_sync = 2",
    "a partition from elsewhere": "ALTER TABLE {db}.t ATTACH PARTITION 0 FROM {db}.t",
    "a renamed column": "ALTER TABLE {db}.t RENAME COLUMN note TO remark",
    "a default taken away": "ALTER TABLE {db}.t MODIFY COLUMN name REMOVE DEFAULT",
    "a time to live taken away": "ALTER TABLE {db}.t REMOVE TTL",
    "two at once": (
        "CREATE TABLE IF NOT EXISTS {db}.a (id UInt64) ENGINE = Memory"
        " PARALLEL WITH CREATE TABLE {db}.b (id UInt64) ENGINE = Memory"
    ),
}
COMMANDS = [
    *("ADD COLUMN IF NOT EXISTS comment String", "ADD COLUMN delete String"),
    "ADD COLUMN IF NOT EXISTS k UInt8 AFTER n",
    *("DROP COLUMN IF EXISTS note", "DROP COLUMN note", "RENAME COLUMN IF EXISTS note TO remark"),
    *("MODIFY COLUMN n UInt32", "MODIFY COLUMN name REMOVE CODEC", "MODIFY COLUMN name REMOVE COMMENT"),
    *("MODIFY COLUMN at REMOVE TTL", "MODIFY COLUMN IF EXISTS gone String", "ALTER COLUMN n TYPE UInt32"),
    *("COMMENT COLUMN n 'x'", "MODIFY COMMENT 'y'", "MODIFY TTL at + INTERVAL 3 YEAR", "REMOVE TTL"),
    *("MODIFY SETTING merge_max_block_size = 7", "RESET SETTING merge_max_block_size", "REMOVE SAMPLE BY"),
    *("MODIFY SETTING merge_max_block_size = 7, parts_to_throw_insert = 9", "MODIFY ORDER BY (id)"),
    *("ADD INDEX IF NOT EXISTS j note TYPE minmax", "ADD INDEX materialize note TYPE minmax", "DROP INDEX IF EXISTS i"),
    *("ADD CONSTRAINT IF NOT EXISTS c CHECK n < 99", "DROP CONSTRAINT IF EXISTS positive"),
    "CLEAR COLUMN IF EXISTS note",
    *("DROP PROJECTION IF EXISTS p", "MATERIALIZE INDEX i", "MATERIALIZE COLUMN name", "DELETE WHERE id = 1"),
    *("UPDATE n = n + 1 WHERE id = 2", "MODIFY COLUMN name MODIFY SETTING max_compress_block_size = 65536"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    engine = Embedded(tmp_path_factory.mktemp("server") / "clickhouse")
    engine.start(quiet)
    with engine.serve(quiet) as one:
        yield one
    engine.stop(quiet)


def judged(server: Connected, *statements: str) -> tuple[bool, ...]:
    return repeatable([statement.replace("{db}", "shop") for statement in statements], server.address.query)


def fresh(server: Connected) -> str:
    """A database with some of everything."""
    database = f"test_{uuid4().hex[:8]}"
    server.create(database, None)
    for statement in SCHEMA.split(";;"):
        server.address.query(statement.replace("{db}", database))
    return database


def twice(server: Connected, statement: str) -> tuple[object, object]:
    """What a database holds after a statement, and after it has run again; an error is what it then holds."""
    database = fresh(server)
    try:
        seen: list[object] = []
        for _ in range(2):
            answer = server.address.ask(statement.replace("{db}", database))
            seen.append(answer.text if answer.code else server.address.query(STATE.format(db=database)))
            if answer.code and len(seen) == 1:
                return None, None  # it cannot be done at all
        return seen[0], seen[1]
    finally:
        server.drop(database)


@pytest.mark.parametrize("name", YES)
def test_may_run_again(name: str, server: Connected) -> None:
    assert judged(server, YES[name]) == (True,)
    first, second = twice(server, YES[name])
    assert first is not None
    assert first == second


@pytest.mark.parametrize("name", NO)
def test_may_not_run_again(name: str, server: Connected) -> None:
    assert judged(server, NO[name]) == (False,)


def test_all_are_judged_together(server: Connected) -> None:
    texts = [*YES.values(), *NO.values()]
    assert judged(server, *texts) == (True,) * len(YES) + (False,) * len(NO)
    assert judged(server) == ()


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(COMMANDS), min_size=1, max_size=2, unique=True), st.sampled_from(["", "ON CLUSTER x "]))
def test_an_alteration_that_may_run_again_changes_nothing_then(
    server: Connected, commands: list[str], cluster: str
) -> None:
    statement = f"ALTER TABLE {{db}}.t {', '.join(commands)} SETTINGS alter_sync = 2, mutations_sync = 2"
    (may,) = judged(server, statement)
    assert judged(server, statement.replace("{db}.t ", f"{{db}}.t {cluster}")) == (may,)
    if may:
        first, second = twice(server, statement)
        assert first == second, statement


DOOMED = {
    "DROP DATABASE {db}": True,
    "DROP DATABASE IF EXISTS `{db}` ON CLUSTER 'my_cluster' SYNC": True,
    "DROP /* all */ DATABASE {db}": True,
    "DETACH DATABASE {db}": True,
    "TRUNCATE DATABASE {db}": True,
    "TRUNCATE ALL TABLES FROM {db}": True,
    "RENAME DATABASE {db} TO other": True,
    "DROP TABLE {db}.goose_db_version": True,
    "DROP TABLE IF EXISTS goose_db_version": True,
    'DROP TABLE a, "goose_db_version"': True,
    "TRUNCATE TABLE {db}.goose_db_version": True,
    "RENAME TABLE {db}.goose_db_version TO {db}.old": True,
    "EXCHANGE TABLES {db}.a AND {db}.goose_db_version": True,
    "DELETE FROM {db}.goose_db_version WHERE version_id > 1": True,
    "DROP DATABASE other": False,
    "DROP TABLE {db}.t SYNC": False,
    "DROP TABLE other.goose_db_version": False,
    "DROP TABLE {db}.goose_db_version_2": False,
    "ALTER TABLE {db}.t COMMENT COLUMN n 'DROP DATABASE {db}'": False,
    "CREATE TABLE {db}.a AS {db}.goose_db_version": False,
    "-- DROP DATABASE {db}\nSELECT 1": False,
    "EXCHANGE TABLES {db}.a AND {db}.b": False,
}


@pytest.mark.parametrize("statement", DOOMED)
def test_a_statement_that_would_take_the_version_table_away_is_known(statement: str, server: Connected) -> None:
    tables = ["goose_db_version"]
    gone = doomed([statement.replace("{db}", "shop")], "shop", tables, server.address.query)
    assert gone == (set(tables) if DOOMED[statement] else set())
