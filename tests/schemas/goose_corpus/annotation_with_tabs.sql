--	+goose	Up
CREATE TABLE birds (id text PRIMARY KEY);
