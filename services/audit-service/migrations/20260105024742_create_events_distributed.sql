-- +goose Up
-- What services write to and read from. All that an actor did lies on one shard.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS audit_db.events_distributed ON CLUSTER 'my_cluster' AS audit_db.events
ENGINE = Distributed('my_cluster', 'audit_db', 'events', cityHash64(actor));
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
DROP TABLE IF EXISTS audit_db.events_distributed ON CLUSTER 'my_cluster' SYNC;
-- +goose StatementEnd
