-- +goose Up
-- It counts what is written from now on; POPULATE would miss the rows that arrive while it runs.
-- +goose StatementBegin
CREATE MATERIALIZED VIEW IF NOT EXISTS analytics_db.events_by_day_mv ON CLUSTER 'my_cluster'
TO analytics_db.events_by_day
AS SELECT
    toDate(timestamp) AS day,
    event_name,
    platform,
    count() AS total,
    max(timestamp) AS last_at
FROM analytics_db.events
GROUP BY day, event_name, platform;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
DROP VIEW IF EXISTS analytics_db.events_by_day_mv ON CLUSTER 'my_cluster' SYNC;
-- +goose StatementEnd
