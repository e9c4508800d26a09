-- Which law applies depends on the country, and a locale is only a hint of it.

-- +goose Up
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';

-- Every row is empty at first, so the check refuses nobody. It is NOT VALID all the same: no scan under this lock.
ALTER TABLE accounts
    ADD COLUMN country_code TEXT,
    ADD CONSTRAINT ck_accounts_country_code CHECK (country_code ~ '^[A-Z]{2}$') NOT VALID;

-- +goose Down
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';
ALTER TABLE accounts
    DROP CONSTRAINT ck_accounts_country_code,
    DROP COLUMN country_code;
