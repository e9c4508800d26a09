-- +goose Up
-- +goose StatementBegin
ALTER TABLE analytics_db.events_distributed ON CLUSTER 'my_cluster'
    ADD COLUMN IF NOT EXISTS platform LowCardinality(String) DEFAULT 'unknown' AFTER event_name
    SETTINGS alter_sync = 2;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
ALTER TABLE analytics_db.events_distributed ON CLUSTER 'my_cluster'
    DROP COLUMN IF EXISTS platform
    SETTINGS alter_sync = 2;
-- +goose StatementEnd
