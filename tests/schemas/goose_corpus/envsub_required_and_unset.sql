-- +goose Up
-- +goose ENVSUB ON
SELECT '${UNSET?must be set}';
