-- +goose Up
-- +goose StatementBegin
ALTER TABLE <database>.<table> ON CLUSTER '<cluster>'
    ADD COLUMN IF NOT EXISTS <column> LowCardinality(String) DEFAULT ''
    SETTINGS alter_sync = 2;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
ALTER TABLE <database>.<table> ON CLUSTER '<cluster>'
    DROP COLUMN IF EXISTS <column>
    SETTINGS alter_sync = 2;
-- +goose StatementEnd
