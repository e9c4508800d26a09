-- +goose Up
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION update_updated_at_column()
RETURNS TRIGGER AS $$
BEGIN
    NEW.updated_at = NOW();
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;
-- +goose StatementEnd

CREATE TYPE account_status AS ENUM ('active', 'locked', 'deletion_requested', 'deleted');

CREATE TABLE accounts (
    id TEXT PRIMARY KEY DEFAULT gen_random_uuid()::TEXT,
    handle TEXT NOT NULL,
    locale TEXT NOT NULL DEFAULT 'ko-KR',
    status account_status NOT NULL DEFAULT 'active',
    deletion_due_at TIMESTAMPTZ(6),
    created_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW(),
    CONSTRAINT uk_accounts_handle UNIQUE (handle),
    CONSTRAINT ck_accounts_deletion_due CHECK (status <> 'deletion_requested' OR deletion_due_at IS NOT NULL)
);

-- The deletion job reads this every minute, and almost no account is in that state.
CREATE INDEX idx_accounts_deletion_due_at ON accounts (deletion_due_at) WHERE status = 'deletion_requested';

CREATE TABLE external_identities (
    id TEXT PRIMARY KEY DEFAULT gen_random_uuid()::TEXT,
    account_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    subject TEXT NOT NULL,
    created_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW(),
    CONSTRAINT uk_external_identities_provider_subject UNIQUE (provider, subject),
    CONSTRAINT fk_external_identities_account_id FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE
);

CREATE INDEX idx_external_identities_account_id ON external_identities (account_id);

CREATE TRIGGER trg_accounts_updated_at
BEFORE UPDATE ON accounts
FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

CREATE TRIGGER trg_external_identities_updated_at
BEFORE UPDATE ON external_identities
FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- +goose Down
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';
DROP TABLE external_identities;
DROP TABLE accounts;
DROP TYPE account_status;
DROP FUNCTION update_updated_at_column();
