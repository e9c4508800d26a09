-- +goose Up
-- +goose StatementBegin
CREATE TABLE birds (id text PRIMARY KEY);
-- +goose Up
-- +goose StatementEnd
