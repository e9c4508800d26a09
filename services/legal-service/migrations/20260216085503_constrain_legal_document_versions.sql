-- The publishing job names the constraint in its ON CONFLICT clause, which an index alone cannot serve.

-- +goose Up
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE legal_documents
    ADD CONSTRAINT uk_legal_documents_code_version_locale
    UNIQUE USING INDEX uk_legal_documents_code_version_locale;

-- +goose Down
-- The constraint owns the index by now and takes it along, so it is built again, as the file before left it.
-- That blocks writers, and is over at once: there are a few hundred documents.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';
ALTER TABLE legal_documents
    DROP CONSTRAINT uk_legal_documents_code_version_locale;
CREATE UNIQUE INDEX uk_legal_documents_code_version_locale
ON legal_documents (code, version, locale);
