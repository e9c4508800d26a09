"""How a step that changes the world answers: is this target already as it should be?"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Answer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Whether a target is up to date, why, and since when."""

    up_to_date: bool | None  # None: not known, so the step runs and reports
    because: str  # one phrase: "8 files applied", "2 files pending: 0007_a.sql, 0008_b.sql"
    since: str | None = None  # ISO 8601, when it became so; None where nobody knows
