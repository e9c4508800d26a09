-- +goose Up
-- +goose ENVSUB ON
SELECT 'ÿ$NAMEâ‚${UNSET:-Ã}í €';
