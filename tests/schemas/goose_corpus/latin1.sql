-- +goose Up
SELECT '¾luva';
