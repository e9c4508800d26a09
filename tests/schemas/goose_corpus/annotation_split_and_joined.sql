-- +go+gooseose Up
CREATE TABLE birds (id text PRIMARY KEY);
