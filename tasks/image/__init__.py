"""The step `image`: the migrations of a commit, with the goose that runs them, in a registry."""

from __future__ import annotations

from tasks.image.content import commit_of, identity

__all__ = ["commit_of", "identity"]
