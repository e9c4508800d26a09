-- +goose Up
	-- note
	SELECT	1;	-- note
