-- +goose Up
-- +goose ENVSUB ON
-- $1 is skipped
SELECT 1,
-- $NAME is expanded
2;
