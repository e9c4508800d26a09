-- +goose ENVSUB ON
-- +goose Up
SELECT '$NAME';
