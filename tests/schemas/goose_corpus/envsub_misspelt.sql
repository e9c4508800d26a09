-- +goose Up
-- +goose ENVSUBST ON
CREATE TABLE birds (id text PRIMARY KEY);
