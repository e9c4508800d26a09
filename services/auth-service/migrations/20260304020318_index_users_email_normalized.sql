-- Built without blocking sign-ups, hence alone and outside a transaction.
-- Two accounts that differ only in case make it fail and leave an invalid index: merge them, drop the index, run again.

-- +goose NO TRANSACTION

-- +goose Up
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS uk_users_email_normalized ON users (email_normalized);

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS uk_users_email_normalized;
