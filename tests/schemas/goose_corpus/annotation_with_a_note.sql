-- +goose Up and away
CREATE TABLE birds (id text PRIMARY KEY);
