-- +goose Up
-- +goose StatementBegin
-- leads

-- leads
SELECT 1;
-- stays
-- +goose StatementEnd
