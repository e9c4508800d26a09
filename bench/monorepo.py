"""Monorepos of any size: services.yaml, and streams of migrations like those that a team writes."""

from __future__ import annotations

from pathlib import Path

__all__ = ["generate"]

HEAD = "environments: {local: {}}\n"

INIT = """\
-- +goose Up
CREATE EXTENSION IF NOT EXISTS pgcrypto;

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION update_updated_at_column()
RETURNS TRIGGER AS $$
BEGIN
    NEW.updated_at = NOW();
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;
-- +goose StatementEnd

CREATE TYPE item_state AS ENUM ('draft', 'open', 'closed');

-- +goose Down
DROP TYPE item_state;
DROP FUNCTION update_updated_at_column();
DROP EXTENSION pgcrypto;
"""

TABLE = """\
-- +goose Up
CREATE TABLE items_{table} (
    id TEXT PRIMARY KEY DEFAULT gen_random_uuid()::TEXT,
    title TEXT NOT NULL,
    state item_state NOT NULL DEFAULT 'draft',
    created_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW()
);

CREATE TABLE item_notes_{table} (
    id TEXT PRIMARY KEY DEFAULT gen_random_uuid()::TEXT,
    item_id TEXT NOT NULL REFERENCES items_{table} (id) ON DELETE CASCADE,
    body TEXT NOT NULL
);

CREATE INDEX idx_item_notes_{table}_item_id ON item_notes_{table} (item_id);

CREATE TRIGGER trg_items_{table}_updated_at BEFORE UPDATE ON items_{table}
FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- +goose Down
DROP TABLE item_notes_{table};
DROP TABLE items_{table};
"""

COLUMN = """\
-- +goose Up
SET LOCAL lock_timeout = '5s';
ALTER TABLE items_{table} ADD COLUMN title_normalized TEXT;

-- +goose Down
ALTER TABLE items_{table} DROP COLUMN title_normalized;
"""

BACKFILL = """\
-- +goose Up
UPDATE items_{table} SET title_normalized = LOWER(title) WHERE title_normalized IS NULL;

-- +goose Down
UPDATE items_{table} SET title_normalized = NULL WHERE title_normalized IS NOT NULL;
"""

INDEX = """\
-- +goose NO TRANSACTION

-- +goose Up
CREATE INDEX CONCURRENTLY idx_items_{table}_open ON items_{table} (title_normalized) WHERE state = 'open';

-- +goose Down
DROP INDEX CONCURRENTLY idx_items_{table}_open;
"""

CONSTRAINT = """\
-- +goose Up
SET LOCAL lock_timeout = '5s';
ALTER TABLE items_{table} ADD CONSTRAINT ck_items_{table}_title CHECK (title <> '') NOT VALID;
ALTER TABLE items_{table} VALIDATE CONSTRAINT ck_items_{table}_title;

-- +goose Down
ALTER TABLE items_{table} DROP CONSTRAINT ck_items_{table}_title;
"""

CYCLE = (
    ("create_items", TABLE),
    ("add_title_normalized", COLUMN),
    ("backfill_title_normalized", BACKFILL),
    ("index_open_items", INDEX),
    ("check_title", CONSTRAINT),
)


def generate(root: Path, *, services: int, files: int, head: str = HEAD) -> Path:
    """Write a monorepo of services with one PostgreSQL database each, and return its services.yaml.

    Every stream has ``files`` migrations named in sequence, ``00001_init.sql`` first. ``head`` is what services.yaml
    says before it lists the services.
    """
    names = [f"service-{number:03}" for number in range(1, services + 1)]
    stream = _stream(files)
    for name in names:
        folder = root / "services" / name / "migrations"
        folder.mkdir(parents=True)
        for file, text in stream.items():
            (folder / file).write_text(text, encoding="utf-8")
    listed = "".join(f"  {name}: {{databases: {{main: {{engine: postgres, name: {name}}}}}}}\n" for name in names)
    catalog = root / "services.yaml"
    catalog.write_text(f"version: 1\nroot: .\n{head}services:\n{listed}", encoding="utf-8")
    return catalog


def _stream(files: int) -> dict[str, str]:
    """Each file's name and text, in order."""
    stream = {"00001_init.sql": INIT}
    for position in range(files - 1):
        table, step = divmod(position, len(CYCLE))
        title, text = CYCLE[step]
        stream[f"{position + 2:05}_{title}_{table}.sql"] = text.replace("{table}", str(table))
    return stream
