-- +goose Up
-- +goose ENVSUB ON
-- +goose ${NAME}
CREATE TABLE birds (id text PRIMARY KEY);
