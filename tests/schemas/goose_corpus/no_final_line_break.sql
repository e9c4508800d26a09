-- +goose Up
CREATE TABLE birds (id text PRIMARY KEY);
-- +goose Down
DROP TABLE birds;