-- Legal notices go out by country. Built beside running traffic, hence alone and outside a transaction.

-- +goose NO TRANSACTION

-- +goose Up
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_accounts_country_code ON accounts (country_code);

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS idx_accounts_country_code;
