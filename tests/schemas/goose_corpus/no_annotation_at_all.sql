CREATE TABLE birds (id text PRIMARY KEY);
