-- +goose Up
/* first */
CREATE TABLE birds (id text PRIMARY KEY);
-- +goose Down
DROP TABLE birds;
