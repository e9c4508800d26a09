-- +goose Up
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';

CREATE TABLE <table> (
    id TEXT PRIMARY KEY DEFAULT gen_random_uuid()::TEXT,
--? users     user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    created_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMPTZ(6) NOT NULL DEFAULT NOW()
);
--? users
--? users CREATE INDEX idx_<table>_user_id ON <table> (user_id);
--? trigger
--? trigger CREATE TRIGGER trg_<table>_updated_at
--? trigger BEFORE UPDATE ON <table>
--? trigger FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- +goose Down
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';
DROP TABLE IF EXISTS <table>;
