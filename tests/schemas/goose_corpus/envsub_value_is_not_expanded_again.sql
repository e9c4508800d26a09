-- +goose Up
-- +goose ENVSUB ON
SELECT '${HOLDS_DOLLAR}';
