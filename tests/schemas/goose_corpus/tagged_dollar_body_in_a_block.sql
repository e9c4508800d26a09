-- +goose Up
-- +goose StatementBegin
DO $body$
BEGIN
  EXECUTE $q$SELECT ';';$q$;
END
$body$;
-- +goose StatementEnd
