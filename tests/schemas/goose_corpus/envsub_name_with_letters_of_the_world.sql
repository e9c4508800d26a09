-- +goose Up
-- +goose ENVSUB ON
SELECT '$žluva ${жук:-x} $名前';
