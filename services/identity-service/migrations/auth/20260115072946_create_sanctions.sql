-- +goose Up
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';

CREATE TYPE sanction_kind AS ENUM ('warning', 'mute', 'suspension', 'ban');

-- account_id belongs to the database identity, so it is indexed but has no foreign key.
-- RESTRICT on the operator: a sanction must always say who issued it, so operators are disabled and not deleted.
CREATE TABLE sanctions (
    id TEXT PRIMARY KEY DEFAULT gen_random_uuid()::TEXT,
    account_id TEXT NOT NULL,
    issued_by TEXT NOT NULL,
    kind sanction_kind NOT NULL,
    reason TEXT NOT NULL,
    ends_at TIMESTAMPTZ(6),
    lifted_at TIMESTAMPTZ(6),
    created_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW(),
    CONSTRAINT fk_sanctions_issued_by FOREIGN KEY (issued_by) REFERENCES operators (id) ON DELETE RESTRICT,
    CONSTRAINT ck_sanctions_ban_has_no_end CHECK (kind <> 'ban' OR ends_at IS NULL)
);

CREATE INDEX idx_sanctions_issued_by ON sanctions (issued_by);

-- Asked at every sign-in: is there a sanction that still holds?
CREATE INDEX idx_sanctions_account_id ON sanctions (account_id) WHERE lifted_at IS NULL;

CREATE TRIGGER trg_sanctions_updated_at
BEFORE UPDATE ON sanctions
FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- +goose Down
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';
DROP TABLE sanctions;
DROP TYPE sanction_kind;
