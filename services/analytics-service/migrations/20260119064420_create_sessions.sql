-- +goose Up
-- A session is written again as it goes on; the row with the newest updated_at stays. Read it with FINAL.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS analytics_db.sessions ON CLUSTER 'my_cluster' (
    id UUID DEFAULT generateUUIDv7(),
    started_at DateTime64(3),
    updated_at DateTime64(3),
    country LowCardinality(String),
    event_count UInt32
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', updated_at)
PARTITION BY toYYYYMM(started_at)
ORDER BY (started_at, id)
TTL toDateTime(started_at) + INTERVAL 180 DAY
SETTINGS ttl_only_drop_parts = 1;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
DROP TABLE IF EXISTS analytics_db.sessions ON CLUSTER 'my_cluster' SYNC;
-- +goose StatementEnd
