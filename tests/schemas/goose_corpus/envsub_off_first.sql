-- +goose Up
-- +goose ENVSUB OFF
SELECT '$1';
