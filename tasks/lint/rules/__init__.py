"""One file a rule, and its cases beside it; the folders are the groups."""
