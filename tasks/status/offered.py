"""What `status` says of an environment that takes what another one has verified."""

from __future__ import annotations

from dataclasses import replace

from schemas.errors import GanderError
from schemas.target import Target
from tasks.promote.image import short
from tasks.promote.message import OVERRIDE, REF
from tasks.promote.offer import offer
from tasks.promote.qualify import Qualified
from tasks.promote.run import images
from tasks.promote.standing import Seen
from tasks.work import Work

__all__ = ["offered", "overridden"]


def offered(work: Work, target: Target) -> str:
    """Whether what the environment before has may go there now, or why not."""
    found = _qualified(work, target)
    return found.says if found.holds else f"nothing may go there now: {found.says}"


def overridden(work: Work, target: Target, seen: Seen | GanderError) -> str:
    """Why it has its image by an override; empty without one, and once the environment before has verified it."""
    if isinstance(seen, GanderError):
        return ""
    reason, ref = (
        seen.place.remote.repository.trailer(name, seen.tip, seen.text, seen.place.file) for name in (OVERRIDE, REF)
    )
    if not reason or _qualified(work, target, tag=short(seen.text)).holds:
        return ""
    return f"{reason} ({ref})"


def _qualified(work: Work, target: Target, **chosen: str) -> Qualified:
    """What `promote` would say of an image, asked now."""
    alone = replace(work, targets=(target,), variables=chosen)
    try:
        return offer(alone, target, images(alone)).qualified
    except GanderError as error:
        return Qualified(holds=False, says=f"{error.where}: {error.what}" if error.where else error.what)
