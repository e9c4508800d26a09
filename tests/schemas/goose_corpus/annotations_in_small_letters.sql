-- +goose up
-- +goose statementbegin
create table Birds (id text primary key);
-- +goose statementend
-- +goose down
drop table Birds;
