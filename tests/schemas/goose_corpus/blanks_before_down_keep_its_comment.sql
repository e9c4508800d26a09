-- +goose Up
CREATE TABLE birds (id text PRIMARY KEY);
   
-- +goose Down
-- note
DROP TABLE birds;
