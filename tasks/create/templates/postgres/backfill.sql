-- Each batch commits by itself, so that no row is locked for long.
-- Interrupted, it can simply run again, because it takes only rows that are still empty.

-- +goose NO TRANSACTION

-- +goose Up
-- +goose StatementBegin
DO $$
DECLARE
    batch TEXT[];
    last_id TEXT := '';
BEGIN
    LOOP
        -- A local setting ends with its transaction, so every batch needs it again.
        PERFORM set_config('lock_timeout', '5s', TRUE);
        batch := ARRAY(SELECT id FROM <table> WHERE id > last_id ORDER BY id LIMIT 1000);
        EXIT WHEN cardinality(batch) = 0;
        UPDATE <table>
        SET <column> = id -- the value to fill in
        WHERE id = ANY (batch) AND <column> IS NULL;
        last_id := batch[cardinality(batch)];
        COMMIT;
    END LOOP;
END;
$$;
-- +goose StatementEnd

-- +goose Down
-- irreversible: which rows were empty before is not known any more
