"""The operation `init`: a services.yaml for a monorepo that has none, made of what its files say."""
