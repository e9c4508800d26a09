"""Bring the databases of a monorepo to head: the decision, the run, and the explanation when it fails."""
