-- Requests under privacy law: a copy of one's data, a correction, an erasure. Each has a date by which it must be
-- answered.

-- +goose Up
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';

CREATE TYPE data_request_kind AS ENUM ('access', 'rectification', 'erasure', 'portability');

CREATE TABLE data_requests (
    id TEXT PRIMARY KEY DEFAULT gen_random_uuid()::TEXT,
    account_id TEXT NOT NULL,
    kind data_request_kind NOT NULL,
    due_at TIMESTAMPTZ(6) NOT NULL,
    closed_at TIMESTAMPTZ(6),
    details JSONB NOT NULL DEFAULT '{}',
    created_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW()
);

CREATE INDEX idx_data_requests_account_id ON data_requests (account_id);

-- The daily reminder asks for open requests by date, and closed ones soon are nearly all.
CREATE INDEX idx_data_requests_due_at ON data_requests (due_at) WHERE closed_at IS NULL;

CREATE TRIGGER trg_data_requests_updated_at
BEFORE UPDATE ON data_requests
FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- +goose Down
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';
DROP TABLE data_requests;
DROP TYPE data_request_kind;
