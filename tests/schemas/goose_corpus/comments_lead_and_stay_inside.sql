-- +goose Up
-- leads
  -- leads too
SELECT 1, -- stays
-- stays
  2;
-- trails
-- +goose Down
-- leads
DROP TABLE birds;
-- trails
