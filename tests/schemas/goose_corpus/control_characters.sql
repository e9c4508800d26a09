-- +goose Up
SELECT '[0m';

SELECT 1;
