-- Kim@Example.com and kim@example.com could both sign up. This column is what will be unique, in three releases:
-- the column (the application writes it from now on), then the old rows and a unique index, then a check that it is
-- there.

-- +goose Up
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';

-- Neither column rewrites the table: one is empty, the other has a constant default.
ALTER TABLE users
    ADD COLUMN email_normalized TEXT,
    ADD COLUMN failed_sign_ins BIGINT NOT NULL DEFAULT 0;

-- +goose Down
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';
ALTER TABLE users
    DROP COLUMN failed_sign_ins,
    DROP COLUMN email_normalized;
