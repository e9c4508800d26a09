-- +goose Up
-- +goose StatementBegin
SELECT '$NAME';
-- +goose ENVSUB ON
SELECT '$NAME';
-- +goose ENVSUB OFF
SELECT '$NAME';
-- +goose StatementEnd
