-- +goose Up
-- +goose StatementBegin
SELECT 1;
-- +goose StatementEnd
-- +goose StatementBegin
SELECT 2;
-- +goose StatementEnd
-- +goose Down
-- +goose StatementBegin
SELECT 3;
-- +goose StatementEnd
-- +goose StatementBegin
SELECT 4;
-- +goose StatementEnd
