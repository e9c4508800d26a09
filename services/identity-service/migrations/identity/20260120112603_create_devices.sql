-- +goose Up
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';

CREATE TABLE devices (
    id TEXT PRIMARY KEY DEFAULT gen_random_uuid()::TEXT,
    account_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    platform TEXT NOT NULL,
    push_token TEXT,
    last_seen_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW(),
    created_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW(),
    -- Also the index of the foreign key, since account_id leads it.
    CONSTRAINT uk_devices_account_id_fingerprint UNIQUE (account_id, fingerprint),
    CONSTRAINT fk_devices_account_id FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE
);

-- A push token moves with the phone: two accounts must never get each other's messages. Devices without one do not
-- count.
CREATE UNIQUE INDEX uk_devices_push_token ON devices (push_token) WHERE push_token IS NOT NULL;

CREATE TRIGGER trg_devices_updated_at
BEFORE UPDATE ON devices
FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- +goose Down
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';
DROP TABLE devices;
