"""git: what a monorepo's history and work tree hold, and a commit of named files."""

from __future__ import annotations

from tools.git.repository import Base, Repository, find, hashed
from tools.git.surroundings import environment

__all__ = ["Base", "Repository", "environment", "find", "hashed"]
