-- +goose Up
SELECT 'ÿÃ(â‚';
-- þ
SELECT 2;
