-- +goose Up
INSERT INTO птицы VALUES ('žluva', '鳥', '🦢', 'é'); -- лебедь
-- +goose Down
DELETE FROM птицы;
