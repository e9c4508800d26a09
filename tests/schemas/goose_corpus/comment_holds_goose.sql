-- +goose Up
-- see +goose docs
CREATE TABLE birds (id text PRIMARY KEY);
