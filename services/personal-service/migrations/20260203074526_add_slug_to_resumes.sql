-- Public resumes get an address that people can read. The application writes slug from this release on.

-- +goose Up
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE resumes
    ADD COLUMN slug TEXT,
    ADD COLUMN language TEXT NOT NULL DEFAULT 'ko';

-- +goose Down
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';
ALTER TABLE resumes
    DROP COLUMN language,
    DROP COLUMN slug;
