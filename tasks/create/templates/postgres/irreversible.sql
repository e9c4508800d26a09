-- +goose Up
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';

ALTER TABLE <table> DROP COLUMN <column>;

-- +goose Down
-- irreversible: the values of <table>.<column> are gone
