-- +goose Up
SET LOCAL lock_timeout = '5s';
-- Both statements read their whole table, while reads and writes go on.
SET LOCAL statement_timeout = '15min';

ALTER TABLE refresh_tokens
    VALIDATE CONSTRAINT fk_refresh_tokens_session_id;

ALTER TABLE users
    VALIDATE CONSTRAINT ck_users_email_normalized_present;

-- +goose Down
-- Nothing takes a validation back, so each constraint is made again as the file before left it.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';
ALTER TABLE users
    DROP CONSTRAINT ck_users_email_normalized_present,
    ADD CONSTRAINT ck_users_email_normalized_present
    CHECK (email_normalized IS NOT NULL) NOT VALID;
ALTER TABLE refresh_tokens
    DROP CONSTRAINT fk_refresh_tokens_session_id,
    ADD CONSTRAINT fk_refresh_tokens_session_id
    FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE NOT VALID;
