"""The policy, checked on files alone, before any database is touched."""
