-- +goose NO  TRANSACTION
-- +goose Up
CREATE TABLE birds (id text PRIMARY KEY);
