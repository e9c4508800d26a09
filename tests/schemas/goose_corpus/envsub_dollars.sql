-- +goose Up
-- +goose ENVSUB ON
SELECT '$$ \$ \\ \\$NAME \a $(date) $';
SELECT $$a$$;
