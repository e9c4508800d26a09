"""Is the version table of a release's databases the one that goose has kept so far? Asked right before it is written.

A Job that finds its table missing or empty runs every file again: on a database that another table has the history of.
"""

from __future__ import annotations

from schemas.errors import Refused, ServerError
from schemas.target import Target
from tasks import elsewhere
from tasks.image import content
from tasks.status.standing import moved
from tasks.work import Work
from tools.remote import Place, Sight

__all__ = ["against", "refuse"]


def refuse(work: Work, commit: str) -> None:
    """Raise Refused where a database of the service holds its history under another table, or cannot be looked at.

    Of a database whose variable is not set it says that nobody looked: its Job reaches it by a Secret of its own.
    """
    catalog, target = work.catalog, work.target
    service = target.service or ""
    streams = content.content(catalog, service, commit).streams
    databases = [one for one in content.own(catalog.services[service]) if one.key in streams]
    places = [elsewhere.place(catalog, one, target.environment, streams[one.key]) for one in databases]
    for one in places:
        if not one.url:
            work.progress.line(f"{one.called} was not looked at: {one.variable} is not set")
    there = [one for one in places if one.url]
    for one, sight in zip(there, elsewhere.each(there, lambda reader: reader.sight()), strict=True):
        refused = against(one, sight, target)
        if refused:
            raise refused


def against(place: Place, sight: Sight | ServerError, target: Target) -> Refused | ServerError | None:
    """Why nothing may be released to a database; None where something may. A pure decision."""
    if isinstance(sight, ServerError):
        return sight
    other = moved(sight, place.table, place.streams)
    if not other:
        return None
    return Refused(
        f"{place.called} holds its history under another table, so goose would run every file again",
        why=other,
        todo="name the table that counts: `table:` in services.yaml\n"
        f"doit status:{place.called}\nthen doit {target.name}",
    )
