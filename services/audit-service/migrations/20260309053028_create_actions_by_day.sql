-- +goose Up
-- Rows are added up when parts merge: read it with sum(total) and GROUP BY.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS audit_db.actions_by_day ON CLUSTER 'my_cluster' (
    day Date,
    service LowCardinality(String),
    action LowCardinality(String),
    outcome LowCardinality(String),
    total UInt64
) ENGINE = ReplicatedSummingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', total)
PARTITION BY toYYYYMM(day)
ORDER BY (service, action, outcome, day)
TTL day + INTERVAL 5 YEAR
SETTINGS ttl_only_drop_parts = 1;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
DROP TABLE IF EXISTS audit_db.actions_by_day ON CLUSTER 'my_cluster' SYNC;
-- +goose StatementEnd
