-- +goose Down
DROP TABLE birds;
