-- +goose Up
SET LOCAL lock_timeout = '5s';
-- Reads all accounts, and lets everybody write meanwhile.
SET LOCAL statement_timeout = '15min';

ALTER TABLE accounts
    VALIDATE CONSTRAINT ck_accounts_country_code;

-- +goose Down
-- A validation cannot be taken back, so the constraint is made again as it was.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';
ALTER TABLE accounts
    DROP CONSTRAINT ck_accounts_country_code,
    ADD CONSTRAINT ck_accounts_country_code CHECK (country_code ~ '^[A-Z]{2}$') NOT VALID;
