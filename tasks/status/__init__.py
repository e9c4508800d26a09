"""The operation `status`: files against databases, in every environment."""
