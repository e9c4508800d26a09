-- +goose Up
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

ALTER TABLE resumes
    VALIDATE CONSTRAINT ck_resumes_slug_present;

-- The validated check spares the scan that SET NOT NULL would do with readers shut out. It stays for now: in this same
-- ALTER TABLE it would be dropped before it helps, and one more statement here would only hold the lock longer.
ALTER TABLE resumes
    ALTER COLUMN slug SET NOT NULL;

-- +goose Down
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';
ALTER TABLE resumes
    ALTER COLUMN slug DROP NOT NULL,
    DROP CONSTRAINT ck_resumes_slug_present,
    ADD CONSTRAINT ck_resumes_slug_present
    CHECK (slug IS NOT NULL) NOT VALID;
