-- +goose U--p
CREATE TABLE birds (id text PRIMARY KEY);
