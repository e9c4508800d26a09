-- Up +goose
CREATE TABLE birds (id text PRIMARY KEY);
-- NO+goose TRANSACTION
