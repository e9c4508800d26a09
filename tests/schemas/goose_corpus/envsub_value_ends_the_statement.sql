-- +goose Up
-- +goose ENVSUB ON
SELECT 1 ${LINES}
SELECT 3;
