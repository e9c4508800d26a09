-- Ships one release after the column, when no running version leaves it empty any more.
-- Each batch commits by itself: users is our largest table, and one long UPDATE would lock every row until its end.
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
        batch := ARRAY(SELECT id FROM users WHERE id > last_id ORDER BY id LIMIT 1000);
        EXIT WHEN cardinality(batch) = 0;
        UPDATE users
        SET email_normalized = lower(btrim(email))
        WHERE id = ANY (batch) AND email_normalized IS NULL;
        last_id := batch[cardinality(batch)];
        COMMIT;
    END LOOP;
END;
$$;
-- +goose StatementEnd

-- +goose Down
-- Only values that the rule above gives are emptied. What somebody corrected by hand stays.
-- +goose StatementBegin
DO $$
DECLARE
    batch TEXT[];
    last_id TEXT := '';
BEGIN
    LOOP
        PERFORM set_config('lock_timeout', '5s', TRUE);
        batch := ARRAY(SELECT id FROM users WHERE id > last_id ORDER BY id LIMIT 1000);
        EXIT WHEN cardinality(batch) = 0;
        UPDATE users
        SET email_normalized = NULL
        WHERE id = ANY (batch) AND email_normalized = lower(btrim(email));
        last_id := batch[cardinality(batch)];
        COMMIT;
    END LOOP;
END;
$$;
-- +goose StatementEnd
