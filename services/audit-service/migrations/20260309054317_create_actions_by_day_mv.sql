-- +goose Up
-- It counts what is written from now on; POPULATE would miss the rows that arrive while it runs.
-- +goose StatementBegin
CREATE MATERIALIZED VIEW IF NOT EXISTS audit_db.actions_by_day_mv ON CLUSTER 'my_cluster'
TO audit_db.actions_by_day
AS SELECT
    toDate(occurred_at) AS day,
    service,
    action,
    outcome,
    count() AS total
FROM audit_db.events
GROUP BY day, service, action, outcome;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
DROP VIEW IF EXISTS audit_db.actions_by_day_mv ON CLUSTER 'my_cluster' SYNC;
-- +goose StatementEnd
