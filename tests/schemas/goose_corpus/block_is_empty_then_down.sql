-- +goose Up
-- +goose StatementBegin
-- +goose StatementEnd
-- +goose Down
DROP TABLE birds;
