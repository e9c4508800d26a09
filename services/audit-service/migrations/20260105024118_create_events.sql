-- +goose Up
-- Compliance keeps five years. Parts go as a whole, once the newest of their rows is that old: a month later at most.
-- A UUIDv7 does not sort by time as a UUID does, so the time stands before it in the sorting key.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS audit_db.events ON CLUSTER 'my_cluster' (
    id UUID DEFAULT generateUUIDv7(),
    occurred_at DateTime64(3),
    service LowCardinality(String),
    action LowCardinality(String),
    outcome LowCardinality(String),
    actor String,
    subject String,
    details String CODEC(ZSTD(3))
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (service, action, occurred_at, id)
TTL toDateTime(occurred_at) + INTERVAL 5 YEAR
SETTINGS ttl_only_drop_parts = 1;
-- +goose StatementEnd

-- +goose Down
-- SYNC: the path in ZooKeeper is free again when this returns, and Up can run once more.
-- +goose StatementBegin
DROP TABLE IF EXISTS audit_db.events ON CLUSTER 'my_cluster' SYNC;
-- +goose StatementEnd
