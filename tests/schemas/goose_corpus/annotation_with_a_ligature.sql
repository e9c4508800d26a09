-- +goose Up
-- +goose ENVSUB Oﬀ
CREATE TABLE birds (id text PRIMARY KEY);
