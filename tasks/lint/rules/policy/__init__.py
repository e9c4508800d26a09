"""PL: what the policy asks of schemas."""
