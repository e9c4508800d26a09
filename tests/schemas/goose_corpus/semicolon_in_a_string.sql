-- +goose Up
SELECT 'a;b';
SELECT 'a;
b';
