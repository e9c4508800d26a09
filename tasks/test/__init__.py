"""Proof of migrations on scratch servers: up, down and up again, the structure compared each time."""
