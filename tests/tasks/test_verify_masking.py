"""What is kept of a log: no literal of a statement, no value of a server's words, and no password."""

from __future__ import annotations

import re
from typing import Any

import pytest

from schemas.goose_log import parse_log
from tasks.verify.masking import masked


@pytest.mark.parametrize(
    ("engine", "statement", "kept"),
    [
        ("postgres", "INSERT INTO u VALUES ('a@b.c', 42, 1.5)", "INSERT INTO u VALUES ('…', '…', '…')"),
        ("postgres", "SELECT 'it''s', E'x\\'y', U&'z'", "SELECT '…', '…', U&'…'"),
        ("postgres", "SELECT 'C:\\', 'secret'", "SELECT '…', '…'"),
        ("postgres", "DO $$ secret $$; DO $a$ it's $a$", "DO '…'; DO '…'"),
        ("postgres", "SELECT 'cut off", "SELECT '…'"),
        ("postgres", 'ALTER TABLE t2 ADD "c3" varchar(9)', "ALTER TABLE t2 ADD \"c3\" varchar('…')"),
        ("clickhouse", "INSERT INTO u VALUES ('it\\'s secret', 7)", "INSERT INTO u VALUES ('…', '…')"),
    ],
)
def test_no_literal_of_a_statement_is_kept(engine: Any, statement: str, kept: str) -> None:
    quoted = statement.replace("\\", "\\\\").replace('"', '\\"')
    line = f'goose run: ERROR 2_b.sql: failed to execute SQL query "{quoted}": ERROR: boom (SQLSTATE 1)'
    shown = parse_log(masked(line, engine)).failure
    assert shown is not None
    assert (shown.statement, shown.message) == (kept, "ERROR: boom (SQLSTATE 1)")


def test_values_that_a_server_quotes_are_masked_and_names_are_not() -> None:
    said = 'ERROR: invalid input syntax for type integer: "secret" (SQLSTATE 22P02)'
    assert masked(said, "postgres") == "ERROR: invalid input syntax for type integer: '…' (SQLSTATE 22P02)"
    named = 'ERROR: relation "users" does not exist (SQLSTATE 42P01)'
    assert masked(named, "postgres") == named
    assert masked("Code: 6. Cannot parse string 'secret' as UInt8", "clickhouse").endswith("string '…' as UInt8")


@pytest.mark.parametrize(
    "said",
    [
        'goose run: parse "http://u:s3c%ZZt@h:8123/db": invalid URL escape "%ZZ"; parse "http://u:s3c%ZZt@h:8123/db"',
        'goose run: parse "http://u:s3c/t@h:8123/db": invalid port ":s3c" after host',
        'goose run: parse "http://u:s3c\\"x@ t@h:8123/db": net/url: invalid userinfo',
        'goose run: cannot parse `postgres://u:xxxxxx@h:5432/db`: failed to parse (invalid port ":s3c" after host)',
        "goose: cannot reach clickhouse://u:s3c@h:9000/db",
    ],
)
def test_the_password_of_a_url_that_goose_could_not_read_is_masked(said: str) -> None:
    """Of a Job's Secret, which nobody here knows. The words are those of goose 3.27.3."""
    for engine in ("postgres", "clickhouse"):
        shown = masked(said, engine)
        assert not re.search("s3c|%ZZ|xxxxxx", shown)
        assert "h:" in shown or "after host" in shown
