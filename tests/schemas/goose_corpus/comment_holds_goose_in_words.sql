-- +goose Up
-- see goose, and + goose
CREATE TABLE birds (id text PRIMARY KEY);
