-- +goose Up
SELECT '-- +goose Down';
SELECT 1 -- +goose Down
;
