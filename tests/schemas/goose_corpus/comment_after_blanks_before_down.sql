-- +goose Up
CREATE TABLE birds (id text PRIMARY KEY);
   
-- note
-- +goose Down
DROP TABLE birds;
