-- +goose Up
-- Analytics keeps between 90 days and a year. Parts go as a whole, once the newest of their rows is 180 days old, so
-- the oldest rows stay a month longer.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS analytics_db.events ON CLUSTER 'my_cluster' (
    id UUID DEFAULT generateUUIDv7(),
    timestamp DateTime64(3),
    event_name LowCardinality(String)
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toYYYYMM(timestamp)
ORDER BY (timestamp)
TTL toDateTime(timestamp) + INTERVAL 180 DAY
SETTINGS ttl_only_drop_parts = 1;
-- +goose StatementEnd

-- +goose Down
-- SYNC: the path in ZooKeeper is free again when this returns, and Up can run once more.
-- +goose StatementBegin
DROP TABLE IF EXISTS analytics_db.events ON CLUSTER 'my_cluster' SYNC;
-- +goose StatementEnd
