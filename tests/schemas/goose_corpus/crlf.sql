-- +goose Up
CREATE TABLE birds (id text PRIMARY KEY);

-- note
SELECT 1,
  2; -- two
-- +goose StatementBegin
DO $$
BEGIN
  NULL;
END $$;
-- +goose StatementEnd
-- +goose Down
DROP TABLE birds;
