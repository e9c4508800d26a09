"""The sync windows of an Application, read strictly (server/application/application.proto of Argo CD 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from schemas.part import Part, Unreadable

__all__ = ["Window", "Windows", "windows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A time in which syncs are allowed, or denied."""

    kind: str  # allow, deny
    schedule: str  # cron
    duration: str  # 1h
    manual: bool  # whether a sync by hand may pass it while it is closed


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Those of an Application, and what they come to now."""

    open: bool  # whether a sync by hand may begin
    active: tuple[Window, ...] = ()
    assigned: tuple[Window, ...] = ()


def windows(document: Any) -> Windows:
    """Read them. Raises Unreadable where they do not say whether a sync may begin."""
    root = Part(document)
    if not root.has("canSync"):
        raise Unreadable("canSync is missing")
    return Windows(
        open=root.flag("canSync"),
        active=tuple(map(_window, root.parts("activeWindows"))),
        assigned=tuple(map(_window, root.parts("assignedWindows"))),
    )


def _window(part: Part) -> Window:
    return Window(
        kind=part.text("kind"),
        schedule=part.text("schedule"),
        duration=part.text("duration"),
        manual=part.flag("manualSync"),
    )
