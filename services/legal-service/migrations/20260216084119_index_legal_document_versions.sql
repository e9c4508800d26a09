-- A translation was published twice in January.
-- First the index, beside running traffic, then the constraint that takes it over.

-- +goose NO TRANSACTION

-- +goose Up
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS uk_legal_documents_code_version_locale
ON legal_documents (code, version, locale);

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS uk_legal_documents_code_version_locale;
