-- +goose Up
-- Only parts that are written from now on get the index: MATERIALIZE INDEX, in a file of its own, brings the others.
-- +goose StatementBegin
ALTER TABLE <database>.<table> ON CLUSTER '<cluster>'
    ADD INDEX IF NOT EXISTS idx_<table>_<column> <column> TYPE bloom_filter GRANULARITY 4
    SETTINGS alter_sync = 2;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
ALTER TABLE <database>.<table> ON CLUSTER '<cluster>'
    DROP INDEX IF EXISTS idx_<table>_<column>
    SETTINGS alter_sync = 2;
-- +goose StatementEnd
