-- +goose Up
COPY birds FROM stdin;
a;
\.
-- +goose Down
DROP TABLE birds;
