-- +goose Up
-- +goose StatementBegin
-- +goose StatementEnd
-- note

  
SELECT 1;
SELECT 2;
