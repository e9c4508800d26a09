-- +goose Up
-- +goose StatementBegin
CREATE TABLE birds (id text PRIMARY KEY);
-- +goose StatementEnd
-- +goose StatementEnd
