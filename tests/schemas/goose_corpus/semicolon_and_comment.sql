-- +goose Up
SELECT 1; -- note
SELECT 2;-- note
SELECT 3;
