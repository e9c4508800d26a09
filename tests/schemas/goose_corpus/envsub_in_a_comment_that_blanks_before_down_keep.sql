-- +goose Up
-- +goose ENVSUB ON
CREATE TABLE birds (id text PRIMARY KEY);
   
-- +goose Down
-- $1
DROP TABLE birds;
