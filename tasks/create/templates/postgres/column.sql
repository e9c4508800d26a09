-- +goose Up
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';

-- Without a default, or with a constant one, no row is rewritten.
ALTER TABLE <table> ADD COLUMN <column> TEXT;

-- +goose Down
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';
ALTER TABLE <table> DROP COLUMN <column>;
