-- +goose Up
-- +goose StatementBegin
SELECT 1
-- +goose StatementEnd
CREATE TABLE birds (id text PRIMARY KEY);
