-- +goose Up
DO $$ BEGIN NULL; END $$;
