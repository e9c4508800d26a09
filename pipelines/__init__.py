"""The graph: which steps for which targets, in which order, and when they need not run; the floor that knows doit."""
