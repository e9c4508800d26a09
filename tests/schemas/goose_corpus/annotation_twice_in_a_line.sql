-- +goose Up +goose Down
CREATE TABLE birds (id text PRIMARY KEY);
