-- +goose Up
-- +goose ENVSUB ON
SELECT '${NAME:1} ${NAME:1:2} ${NAME: -2} ${NAME:-2} ${NAME:0:-1} ${NAME:0:-5} ${NAME:9} ${NAME:1:99} ${NAME: +1 : 1 }';
