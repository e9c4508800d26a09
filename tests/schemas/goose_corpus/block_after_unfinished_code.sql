-- +goose Up
SELECT 1,
-- +goose StatementBegin
2;
-- +goose StatementEnd
