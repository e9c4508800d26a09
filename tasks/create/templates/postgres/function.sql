-- +goose Up
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';

--? absent -- +goose StatementBegin
--? absent CREATE OR REPLACE FUNCTION update_updated_at_column()
--? absent RETURNS TRIGGER AS $$
--? absent BEGIN
--? absent     NEW.updated_at = NOW();
--? absent     RETURN NEW;
--? absent END;
--? absent $$ LANGUAGE plpgsql;
--? absent -- +goose StatementEnd
--? absent
CREATE TRIGGER trg_<table>_updated_at
BEFORE UPDATE ON <table>
FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- +goose Down
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '30s';
DROP TRIGGER IF EXISTS trg_<table>_updated_at ON <table>;
--? absent DROP FUNCTION IF EXISTS update_updated_at_column();
