-- +goose Up
-- +goose ENVSUB ON
CREATE TABLE birds (id text PRIMARY KEY);
-- +goose Down
SELECT '${UNSET?must be set}';
