-- +goose Up
-- +goose StatementBegin
ALTER TABLE <database>.<table> ON CLUSTER '<cluster>'
    DROP COLUMN IF EXISTS <column>
    SETTINGS alter_sync = 2;
-- +goose StatementEnd

-- +goose Down
-- irreversible: the values of <table>.<column> are gone
