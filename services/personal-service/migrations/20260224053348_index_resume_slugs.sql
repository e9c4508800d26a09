-- Two resumes must never answer to one address. Built beside running traffic, hence alone and outside a transaction.

-- +goose NO TRANSACTION

-- +goose Up
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS uk_resumes_slug ON resumes (slug);

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS uk_resumes_slug;
