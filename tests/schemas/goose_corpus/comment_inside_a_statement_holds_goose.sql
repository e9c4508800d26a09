-- +goose Up
SELECT 1,
-- +goosed
2;
