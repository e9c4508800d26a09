-- +goose Up
-- Daily figures outlive the events that they were made of. With the month until the whole part is old enough they stay
-- within a year. Rows are merged in the background: read it with sum(total), max(last_at) and GROUP BY.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS analytics_db.events_by_day ON CLUSTER 'my_cluster' (
    day Date,
    event_name LowCardinality(String),
    platform LowCardinality(String),
    total SimpleAggregateFunction(sum, UInt64),
    last_at SimpleAggregateFunction(max, DateTime64(3))
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toYYYYMM(day)
ORDER BY (event_name, platform, day)
TTL day + INTERVAL 330 DAY
SETTINGS ttl_only_drop_parts = 1;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
DROP TABLE IF EXISTS analytics_db.events_by_day ON CLUSTER 'my_cluster' SYNC;
-- +goose StatementEnd
