-- Old resumes get their id as slug.
-- In production that is about 9,000 rows, less than a second, so one transaction is enough.

-- +goose Up
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

UPDATE resumes
SET slug = id
WHERE slug IS NULL;

-- +goose Down
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';
UPDATE resumes
SET slug = NULL
WHERE slug = id;
