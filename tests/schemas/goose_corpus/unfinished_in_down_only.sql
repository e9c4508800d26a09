-- +goose Up
CREATE TABLE birds (id text PRIMARY KEY);
-- +goose Down
SELECT 1
