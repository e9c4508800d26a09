-- +goose NO TRANSACTION

-- +goose Up
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_sanctions_reviewed_by ON sanctions (reviewed_by);

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS idx_sanctions_reviewed_by;
