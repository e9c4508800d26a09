"""GS: the goose file itself, and what goose makes of it."""
