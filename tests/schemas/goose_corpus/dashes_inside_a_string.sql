-- +goose Up
SELECT ' -- ';
SELECT '--';
SELECT ' --;';
