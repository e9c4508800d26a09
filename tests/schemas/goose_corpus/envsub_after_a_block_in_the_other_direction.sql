-- +goose Up
-- +goose ENVSUB ON
-- +goose StatementBegin
SELECT 1;
-- +goose StatementEnd
SELECT '$1';
-- +goose Down
DROP TABLE birds;
