"""A new migration file: its version, its name, and the policy's template for what it is to do."""
