-- Built without blocking writes, hence alone in its file and outside a transaction.

-- +goose NO TRANSACTION

-- +goose Up
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_<table>_<column> ON <table> (<column>);

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS idx_<table>_<column>;
