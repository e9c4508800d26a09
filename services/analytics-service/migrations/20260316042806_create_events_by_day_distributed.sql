-- +goose Up
-- For reading only, so it needs no sharding key: the view of each shard writes to the table beside it.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS analytics_db.events_by_day_distributed ON CLUSTER 'my_cluster' AS analytics_db.events_by_day
ENGINE = Distributed('my_cluster', 'analytics_db', 'events_by_day');
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
DROP TABLE IF EXISTS analytics_db.events_by_day_distributed ON CLUSTER 'my_cluster' SYNC;
-- +goose StatementEnd
