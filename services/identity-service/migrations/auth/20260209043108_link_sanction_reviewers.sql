-- +goose Up
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';

-- NOT VALID: both tables are locked against writes only for a moment. The next file reads the old rows.
ALTER TABLE sanctions
    ADD CONSTRAINT fk_sanctions_reviewed_by
    FOREIGN KEY (reviewed_by) REFERENCES operators (id) ON DELETE RESTRICT NOT VALID;

-- +goose Down
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';
ALTER TABLE sanctions
    DROP CONSTRAINT fk_sanctions_reviewed_by;
