-- +goose Up
CREATE TABLE birds (id text PRIMARY KEY);
-- +goose Up
CREATE TABLE birds (id text PRIMARY KEY);
