-- +goose Up
----------
-- title --
----------
CREATE TABLE birds (id text PRIMARY KEY);
