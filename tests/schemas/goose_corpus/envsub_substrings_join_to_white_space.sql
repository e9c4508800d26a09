-- +goose Up
-- +goose ENVSUB ON
SELECT 1;${HALVES:0:1}${HALVES:1:1}-- note
SELECT 2;
