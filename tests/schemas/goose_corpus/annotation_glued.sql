-- +gooseUp
CREATE TABLE birds (id text PRIMARY KEY);
-- +gooseDown
DROP TABLE birds;
