-- +goose Up
-- +goose ENVSUB ON
SELECT '${NAME?must be set} ${EMPTY?may be empty}';
