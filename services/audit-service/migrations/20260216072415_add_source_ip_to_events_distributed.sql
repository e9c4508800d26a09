-- +goose Up
-- +goose StatementBegin
ALTER TABLE audit_db.events_distributed ON CLUSTER 'my_cluster'
    ADD COLUMN IF NOT EXISTS source_ip IPv6 AFTER actor
    SETTINGS alter_sync = 2;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
ALTER TABLE audit_db.events_distributed ON CLUSTER 'my_cluster'
    DROP COLUMN IF EXISTS source_ip
    SETTINGS alter_sync = 2;
-- +goose StatementEnd
