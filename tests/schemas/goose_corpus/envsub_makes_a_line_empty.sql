-- +goose Up
-- +goose ENVSUB ON
$EMPTY
-- kept
SELECT 1;
$BLANK
-- unfinished
