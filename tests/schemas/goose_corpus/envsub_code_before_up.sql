-- +goose ENVSUB ON
$1
-- +goose Up
CREATE TABLE birds (id text PRIMARY KEY);
