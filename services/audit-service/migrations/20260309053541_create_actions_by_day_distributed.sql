-- +goose Up
-- For reading only, so it needs no sharding key: the view of each shard writes to the table beside it.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS audit_db.actions_by_day_distributed ON CLUSTER 'my_cluster' AS audit_db.actions_by_day
ENGINE = Distributed('my_cluster', 'audit_db', 'actions_by_day');
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
DROP TABLE IF EXISTS audit_db.actions_by_day_distributed ON CLUSTER 'my_cluster' SYNC;
-- +goose StatementEnd
