"""The deployments that Argo CD remembers of an Application (`status.history`): syncs that went well, newest last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.part import Part, Unreadable

__all__ = ["Deployment", "deployments"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One of them."""

    at: datetime
    started: datetime | None  # when its operation began
    by: str
    revisions: tuple[str, ...]


def deployments(document: Any) -> tuple[Deployment, ...]:
    """Read them from an Application. Raises Unreadable where it is none."""
    return tuple(map(_deployment, Part(document).part("status").parts("history")))


def _deployment(part: Part) -> Deployment:
    at, by, one = part.moment("deployedAt"), part.part("initiatedBy"), part.text("revision")
    if at is None:
        raise Unreadable(f"{part.path}.deployedAt is missing")
    return Deployment(
        at=at,
        started=part.moment("deployStartedAt"),
        by="automated sync" if by.flag("automated") else by.text("username") or "somebody",
        revisions=part.texts("revisions") or ((one,) if one else ()),
    )
