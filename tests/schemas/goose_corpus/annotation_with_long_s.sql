-- +goose Up
-- +goose ſtatementBegin
CREATE TABLE birds (id text PRIMARY KEY);
-- +goose ſtatementEnd
