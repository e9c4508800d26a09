"""What the example monorepo promises about its migration files, read without a server."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

SERVICES = Path(__file__).parents[2] / "services"

STREAMS = {
    "auth-service/auth": SERVICES / "auth-service/migrations",
    "personal-service/personal": SERVICES / "personal-service/migrations",
    "identity-service/identity": SERVICES / "identity-service/migrations/identity",
    "identity-service/auth": SERVICES / "identity-service/migrations/auth",
    "legal-service/legal": SERVICES / "legal-service/migrations",
}
FILES = sorted(path for folder in STREAMS.values() for path in folder.glob("*.sql"))

EVERYWHERE = {
    "foreign key": r"\bREFERENCES \w+ ?\(id\)",
    "enum": r"^CREATE TYPE \w+ AS ENUM",
    "partial index": r"^CREATE (UNIQUE )?INDEX (?!CONCURRENTLY)[^;]*\bWHERE\b",
    "trigger function": r"^CREATE OR REPLACE FUNCTION update_updated_at_column\(\)\nRETURNS TRIGGER AS \$\$",
    "trigger": r"^CREATE TRIGGER trg_\w+_updated_at\n",
    "concurrent index": r"^CREATE (UNIQUE )?INDEX CONCURRENTLY IF NOT EXISTS ",
}
SOMEWHERE = {
    "auth-service/auth": {
        "batched backfill": r"WHERE id = ANY \(batch\)",
        "constant default": r"ADD COLUMN \w+ BIGINT NOT NULL DEFAULT 0",
        "foreign key not valid": r"FOREIGN KEY \([^;]* NOT VALID;",
        "check not valid": r"CHECK \([^;]* NOT VALID;",
        "validation": r"VALIDATE CONSTRAINT",
        "seed": r"^INSERT INTO permissions ",
    },
    "personal-service/personal": {
        "backfill": r"^UPDATE resumes\nSET slug = id\nWHERE ",
        "check not valid": r"CHECK \([^;]* NOT VALID;",
        "not null through a check": r"VALIDATE CONSTRAINT ck_resumes_slug_present;[^;]*SET NOT NULL;",
    },
    "identity-service/identity": {
        "batched backfill": r"WHERE id = ANY \(batch\)",
        "check not valid": r"CHECK \([^;]* NOT VALID;",
        "validation": r"VALIDATE CONSTRAINT",
    },
    "identity-service/auth": {
        "foreign key not valid": r"FOREIGN KEY \([^;]* NOT VALID;",
        "validation": r"VALIDATE CONSTRAINT",
    },
    "legal-service/legal": {
        "backfill": r"^UPDATE consents\nSET source = 'import'\nWHERE ",
        "unique using index": r"UNIQUE USING INDEX",
    },
}

POLICY_TABLE = """
CREATE TABLE user_preferences (
    id TEXT PRIMARY KEY DEFAULT gen_random_uuid()::TEXT,
    user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    created_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW()
);
"""
POLICY_FUNCTION = """
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION update_updated_at_column()
RETURNS TRIGGER AS $$
BEGIN
    NEW.updated_at = NOW();
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;
-- +goose StatementEnd
"""


def code(text: str) -> str:
    """Leave out whole-line comments and blank lines, annotations included."""
    return "\n".join(line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("--"))


def up(text: str) -> str:
    return text.partition("-- +goose Up\n")[2].partition("-- +goose Down\n")[0]


def down(text: str) -> str:
    return text.partition("-- +goose Down\n")[2]


def wrapped(text: str) -> list[str]:
    return re.findall(r"^-- \+goose StatementBegin\n(.*?)^-- \+goose StatementEnd\n", text, re.DOTALL | re.MULTILINE)


def is_transactional(text: str) -> bool:
    return "-- +goose NO TRANSACTION\n" not in text


every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SERVICES)))
every_stream = pytest.mark.parametrize("stream", STREAMS)


def test_no_migration_lies_outside_a_stream() -> None:
    of_clickhouse = [*SERVICES.glob("audit-service/**/*.sql"), *SERVICES.glob("analytics-service/**/*.sql")]
    assert sorted(SERVICES.rglob("*.sql")) == sorted([*FILES, *of_clickhouse])


@every_stream
def test_a_stream_has_at_least_four_files_with_ascending_timestamps(stream: str) -> None:
    names = sorted(path.name for path in STREAMS[stream].glob("*.sql"))
    assert len(names) >= 4
    versions = [name.partition("_")[0] for name in names]
    assert len(set(versions)) == len(versions)
    times = [datetime.strptime(version, "%Y%m%d%H%M%S").replace(tzinfo=UTC) for version in versions]
    assert times == sorted(times)
    assert times[0] >= datetime(2025, 12, 31, tzinfo=UTC)
    assert times[-1] < datetime(2026, 11, 1, tzinfo=UTC)


@every_file
def test_a_file_is_named_and_encoded_as_goose_takes_it(path: Path) -> None:
    assert re.fullmatch(r"\d{14}_[a-z][a-z0-9]*(_[a-z0-9]+)*\.sql", path.name)
    raw = path.read_bytes()
    assert not raw.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in raw
    assert raw.endswith(b"\n")
    assert not raw.endswith(b"\n\n")
    assert not re.search(r"\t| $", raw.decode("utf-8"), re.MULTILINE)


@every_file
def test_a_file_has_one_up_and_one_down_and_both_do_something(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    annotations = re.findall(r"^.*\+goose.*$", text, re.MULTILINE)
    assert [line for line in annotations if line in {"-- +goose Up", "-- +goose Down"}] == [
        "-- +goose Up",
        "-- +goose Down",
    ]
    known = r"-- \+goose (Up|Down|NO TRANSACTION|StatementBegin|StatementEnd)"
    assert all(re.fullmatch(known, line) for line in annotations)
    assert code(up(text)).endswith(";")
    assert code(down(text)).endswith(";")


@every_file
def test_dollar_quotes_stand_only_between_the_statement_markers(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    inside = wrapped(text)
    assert text.count("StatementBegin") == text.count("StatementEnd") == len(inside)
    assert all(body.count("$$") == 2 for body in inside)
    assert text.count("$$") == 2 * len(inside)


@every_file
def test_no_line_holds_two_statements_and_no_comment_ends_one(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        sql, dashes, comment = line.partition("--")
        assert ";" not in sql.rstrip().removesuffix(";")
        assert not (dashes and sql.strip())
        assert not comment.endswith(";")


@every_file
def test_a_transaction_bounds_its_waiting_in_both_directions(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if is_transactional(text):
        for block in (up(text), down(text)):
            lock, statement, *_ = code(block).splitlines()
            assert lock == "SET LOCAL lock_timeout = '5s';"
            assert re.fullmatch(r"SET LOCAL statement_timeout = '\d+(s|min)';", statement)
    else:
        assert "SET " not in re.sub(r"^ +SET \w+ = .*$", "", code(text), flags=re.MULTILINE)


@every_file
def test_a_file_without_a_transaction_holds_one_statement_a_direction(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if is_transactional(text):
        assert "CONCURRENTLY" not in code(text)
        return
    for block in (up(text), down(text)):
        bodies = wrapped(block)
        assert len(bodies) == 1 or code(block).count(";") == 1
        for body in bodies:
            assert code(block) == code(body)


@every_file
def test_types_are_those_of_the_policy(path: Path) -> None:
    text = code(path.read_text(encoding="utf-8"))
    assert not re.search(r"\b(VARCHAR|CHAR|UUID|SERIAL|BIGSERIAL|JSON|TIMESTAMP|INTEGER)\b", text)
    assert not re.search(r"\bTIMESTAMPTZ(?!\(6\))", text)
    tables = re.findall(r"^CREATE TABLE \w+ \(\n(.*?)^\);", text, re.DOTALL | re.MULTILINE)
    assert all("PRIMARY KEY" in columns for columns in tables)


@every_stream
def test_a_stream_shows_its_techniques(stream: str) -> None:
    text = "\n".join(up(path.read_text(encoding="utf-8")) for path in sorted(STREAMS[stream].glob("*.sql")))
    missing = [
        name
        for name, pattern in (EVERYWHERE | SOMEWHERE[stream]).items()
        if not re.search(pattern, code(text), re.MULTILINE)
    ]
    assert missing == []


@every_stream
def test_what_is_added_unvalidated_is_validated_by_a_later_file(stream: str) -> None:
    blocks = [code(up(path.read_text(encoding="utf-8"))) for path in sorted(STREAMS[stream].glob("*.sql"))]
    for position, block in enumerate(blocks):
        for name in re.findall(r"ADD CONSTRAINT (\w+)\s[^;]*?NOT VALID", block):
            later = [at for at, other in enumerate(blocks) if f"VALIDATE CONSTRAINT {name};" in other]
            assert len(later) == 1
            assert later[0] > position


@every_stream
def test_every_stream_has_the_policys_trigger_function(stream: str) -> None:
    first = min(STREAMS[stream].glob("*.sql"))
    assert POLICY_FUNCTION in first.read_text(encoding="utf-8")


def test_the_policys_own_example_is_a_migration() -> None:
    (path,) = STREAMS["auth-service/auth"].glob("*_create_user_preferences.sql")
    text = path.read_text(encoding="utf-8")
    assert POLICY_TABLE in up(text)
    assert "\nDROP TABLE IF EXISTS user_preferences;\n" in down(text)


def test_a_reference_owns_no_files() -> None:
    assert not (SERVICES / "identity-service/migrations/legal").exists()
