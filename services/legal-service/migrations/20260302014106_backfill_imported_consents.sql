-- Consents older than this database came with the import of 13 January. The others keep the default, which is true
-- for them.
-- About 4,000 rows, so one transaction is enough.

-- +goose Up
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

UPDATE consents
SET source = 'import'
WHERE source = 'app' AND granted_at < '2026-01-13 06:04:27+00';

-- +goose Down
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';
UPDATE consents
SET source = 'app'
WHERE source = 'import' AND granted_at < '2026-01-13 06:04:27+00';
