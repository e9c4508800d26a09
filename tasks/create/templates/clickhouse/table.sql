-- +goose Up
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS <database>.<table> ON CLUSTER '<cluster>' (
    id UUID DEFAULT generateUUIDv7(),
    timestamp DateTime64(3),
    name LowCardinality(String)
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toYYYYMM(timestamp)
--? forever ORDER BY (timestamp);
--? retention ORDER BY (timestamp)
--? retention TTL toDateTime(timestamp) + INTERVAL <retention>
--? retention SETTINGS ttl_only_drop_parts = 1;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
DROP TABLE IF EXISTS <database>.<table> ON CLUSTER '<cluster>' SYNC;
-- +goose StatementEnd
