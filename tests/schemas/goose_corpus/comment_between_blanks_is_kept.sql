-- +goose Up
   
-- kept after a line of blanks
SELECT 1;
