-- +goose Up
-- All rows of a session must reach one shard, or none of them would replace another.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS analytics_db.sessions_distributed ON CLUSTER 'my_cluster' AS analytics_db.sessions
ENGINE = Distributed('my_cluster', 'analytics_db', 'sessions', cityHash64(id));
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
DROP TABLE IF EXISTS analytics_db.sessions_distributed ON CLUSTER 'my_cluster' SYNC;
-- +goose StatementEnd
