-- +goose Up
-- +goose ENVSUB ON
SELECT '${UNSET:-${EMPTY:-${NAME}} and $NAME}';
