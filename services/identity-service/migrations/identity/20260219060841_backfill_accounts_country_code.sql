-- The region of the locale is the best guess for accounts that were never asked. Those without a region stay empty.
-- Batches commit one by one: no row is locked for longer than one of them, and an interrupted run can simply run again.

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
        batch := ARRAY(SELECT id FROM accounts WHERE id > last_id ORDER BY id LIMIT 1000);
        EXIT WHEN cardinality(batch) = 0;
        UPDATE accounts
        SET country_code = right(locale, 2)
        WHERE id = ANY (batch) AND country_code IS NULL AND locale ~ '^[a-z]{2}-[A-Z]{2}$';
        last_id := batch[cardinality(batch)];
        COMMIT;
    END LOOP;
END;
$$;
-- +goose StatementEnd

-- +goose Down
-- What people told us themselves equals the guess in most rows and cannot be told apart: they are asked again.
-- +goose StatementBegin
DO $$
DECLARE
    batch TEXT[];
    last_id TEXT := '';
BEGIN
    LOOP
        PERFORM set_config('lock_timeout', '5s', TRUE);
        batch := ARRAY(SELECT id FROM accounts WHERE id > last_id ORDER BY id LIMIT 1000);
        EXIT WHEN cardinality(batch) = 0;
        UPDATE accounts
        SET country_code = NULL
        WHERE id = ANY (batch) AND country_code = right(locale, 2);
        last_id := batch[cardinality(batch)];
        COMMIT;
    END LOOP;
END;
$$;
-- +goose StatementEnd
