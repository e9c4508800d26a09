-- +goose Down
DROP TABLE birds;
-- +goose Up
CREATE TABLE birds (id text PRIMARY KEY);
