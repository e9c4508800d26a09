-- +goose Up
-- +goose ENVSUB ON
SELECT '$NAME ${NAME} $NAME_ ${UNSET} ${EMPTY}';
-- +goose ENVSUB OFF
SELECT '$NAME';
-- +goose Down
SELECT '$NAME';
