-- +goose Up
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';

-- A constant default is kept in the catalogue: no row is rewritten.
ALTER TABLE consents
    ADD COLUMN source TEXT NOT NULL DEFAULT 'app';

-- +goose Down
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';
ALTER TABLE consents
    DROP COLUMN source;
