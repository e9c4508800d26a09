-- +goose Up
CREATE TABLE birds (id text PRIMARY KEY);
-- +goose Down
-- +goose StatementBegin
DROP TABLE birds;
