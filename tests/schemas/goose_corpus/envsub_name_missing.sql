-- +goose Up
-- +goose ENVSUB
CREATE TABLE birds (id text PRIMARY KEY);
