-- +goose Up
-- +goose ENVSUB ON
SELECT '${UNSET:-a} ${EMPTY:-b} ${NAME:-c} ${UNSET-d} ${EMPTY-e} ${NAME-f}';
