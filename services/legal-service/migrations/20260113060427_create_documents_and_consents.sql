-- What people agreed to, in which wording, and when. Rows here are evidence: consents are withdrawn, never deleted.

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

CREATE TABLE legal_documents (
    id TEXT PRIMARY KEY DEFAULT gen_random_uuid()::TEXT,
    code TEXT NOT NULL,
    version TEXT NOT NULL,
    locale TEXT NOT NULL,
    content_sha256 TEXT NOT NULL,
    published_at TIMESTAMPTZ(6),
    created_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW()
);

-- account_id is an account of identity-service, in another database, hence without a foreign key.
-- RESTRICT: the wording that somebody agreed to can never disappear.
CREATE TABLE consents (
    id TEXT PRIMARY KEY DEFAULT gen_random_uuid()::TEXT,
    account_id TEXT NOT NULL,
    document_id TEXT NOT NULL,
    granted_at TIMESTAMPTZ(6) NOT NULL,
    withdrawn_at TIMESTAMPTZ(6),
    created_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW(),
    CONSTRAINT fk_consents_document_id FOREIGN KEY (document_id) REFERENCES legal_documents (id) ON DELETE RESTRICT,
    CONSTRAINT ck_consents_withdrawn_after_granted CHECK (withdrawn_at >= granted_at)
);

CREATE INDEX idx_consents_document_id ON consents (document_id);

-- Nobody agrees twice to one document at the same time, but may again after withdrawing.
CREATE UNIQUE INDEX uk_consents_account_id_document_id ON consents (account_id, document_id)
WHERE withdrawn_at IS NULL;

CREATE TRIGGER trg_legal_documents_updated_at
BEFORE UPDATE ON legal_documents
FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

CREATE TRIGGER trg_consents_updated_at
BEFORE UPDATE ON consents
FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- +goose Down
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';
DROP TABLE consents;
DROP TABLE legal_documents;
DROP FUNCTION update_updated_at_column();
