-- First half of NOT NULL: rows written from now on need a slug.
-- The existing rows are read by the next file, without blocking.

-- +goose Up
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE resumes
    ADD CONSTRAINT ck_resumes_slug_present
    CHECK (slug IS NOT NULL) NOT VALID;

-- +goose Down
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';
ALTER TABLE resumes
    DROP CONSTRAINT ck_resumes_slug_present;
