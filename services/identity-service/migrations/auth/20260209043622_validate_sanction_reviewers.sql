-- +goose Up
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '5min';

ALTER TABLE sanctions
    VALIDATE CONSTRAINT fk_sanctions_reviewed_by;

-- +goose Down
-- A validation cannot be taken back, so the constraint is made again as it was.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';
ALTER TABLE sanctions
    DROP CONSTRAINT fk_sanctions_reviewed_by,
    ADD CONSTRAINT fk_sanctions_reviewed_by
    FOREIGN KEY (reviewed_by) REFERENCES operators (id) ON DELETE RESTRICT NOT VALID;
