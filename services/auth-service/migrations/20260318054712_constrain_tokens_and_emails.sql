-- New rows obey from here on. The rows that exist are checked by the next file, under a lock that lets writes through.

-- +goose Up
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';

-- The last imported token expired in February, so a token without a session is a mistake now.
ALTER TABLE refresh_tokens
    ADD CONSTRAINT fk_refresh_tokens_session_id
    FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE NOT VALID;

-- Last, because it is the one statement that also blocks readers.
ALTER TABLE users
    ADD CONSTRAINT ck_users_email_normalized_present
    CHECK (email_normalized IS NOT NULL) NOT VALID;

-- +goose Down
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';
ALTER TABLE users
    DROP CONSTRAINT ck_users_email_normalized_present;
ALTER TABLE refresh_tokens
    DROP CONSTRAINT fk_refresh_tokens_session_id;
