"""The comment on a database that we made: it tells one incarnation of it from the next, and what it began with."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.engine import Baseline

__all__ = ["LOADING", "baseline", "fresh", "ours"]

LOADING = " loading"  # how the mark ends until a baseline is whole, where that takes several statements
MARK = re.compile(rf"gander:[0-9a-f-]{{36}}(?: baseline ([0-9a-f]{{64}}))?(?:{LOADING})?")


def fresh(baseline: Baseline | None) -> str:
    """A mark that no database has had."""
    return f"gander:{uuid.uuid4()}" + (f" baseline {baseline.sha256}" if baseline else "")


def ours(comment: str | None) -> str | None:
    """The comment, if it is a mark of ours."""
    return comment if comment and MARK.fullmatch(comment) else None


def baseline(mark: str) -> str:
    """The hash of the baseline that the database began with; empty for none."""
    found = MARK.fullmatch(mark)
    return (found[1] or "") if found else ""
