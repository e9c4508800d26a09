"""PostgreSQL in the local environment: our embedded one, or the user's own."""

from __future__ import annotations

from tools.postgres.embedded import Embedded
from tools.postgres.own import Own

__all__ = ["Embedded", "Own"]
