-- A ban needs a second pair of eyes. The column comes first: its index and its foreign key must not hold sign-ins back.

-- +goose Up
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE sanctions
    ADD COLUMN reviewed_by TEXT;

-- +goose Down
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';
ALTER TABLE sanctions
    DROP COLUMN reviewed_by;
