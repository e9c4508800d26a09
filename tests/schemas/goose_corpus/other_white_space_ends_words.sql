-- +goose Up
SELECT 1; -- note
SELECT 2; -- note
SELECT 3;-- note
SELECT 4;-- note
SELECT 5;
