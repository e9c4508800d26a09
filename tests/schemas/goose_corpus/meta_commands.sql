-- +goose Up
\set ON_ERROR_STOP on
CREATE TABLE birds (id text PRIMARY KEY);
