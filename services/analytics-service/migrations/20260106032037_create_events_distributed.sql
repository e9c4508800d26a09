-- +goose Up
-- What services write to and read from. Events have nothing that must stay together: the id spreads them evenly.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS analytics_db.events_distributed ON CLUSTER 'my_cluster' AS analytics_db.events
ENGINE = Distributed('my_cluster', 'analytics_db', 'events', cityHash64(id));
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
DROP TABLE IF EXISTS analytics_db.events_distributed ON CLUSTER 'my_cluster' SYNC;
-- +goose StatementEnd
