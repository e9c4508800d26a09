-- +goose Up
-- +goose ENVSUB ON
SELECT '${BIRD:2}', '${BIRD:2:1}${BIRD:3:1}', '${BIRD:1:1}x';
