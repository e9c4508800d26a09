"""How a step that changes the world answers: is this target already as it should be?

A named tuple starts faster than a dataclass: see schemas/catalog.py.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Answer"]


class Answer(NamedTuple):
    """Whether a target is up to date, why, and since when."""

    up_to_date: bool | None  # None: not known, so the step runs and reports
    because: str  # one phrase: "8 files applied", "2 files pending: 0007_a.sql, 0008_b.sql"
    since: str | None = None  # ISO 8601, when it became so; None where nobody knows
