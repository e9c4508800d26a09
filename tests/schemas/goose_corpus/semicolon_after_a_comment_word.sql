-- +goose Up
SELECT 1 -- done;
, 2;
