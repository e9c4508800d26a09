"""The world: one module a program or server that we drive."""
