"""What an environment has now: the migrations in the image that its values file names."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.errors import GanderError, Refused
from schemas.stream import Migration
from tasks.image import content
from tasks.promote.message import COMMIT
from tasks.promote.site import Site, line
from tasks.work import Work

__all__ = ["Deployed", "deployed"]

Deployed = Mapping[str, tuple[Migration, ...]]
"""Database -> its migrations there, in order; a database that no image had is not in it."""


def deployed(work: Work, place: Site, tip: str) -> Deployed:
    """What the branch's tip says is there; nothing where the values file names no image.

    Raises Refused where nobody knows what the image holds, as no commit of `doit promote` brought it there, or where
    that one names a commit that is not here.
    """
    said = line(place, tip).spot.text
    if not said:
        return {}
    service, repository = place.target.service or "", place.remote.repository
    shown = f"{place.called}:{place.file}"
    commit = repository.trailer(COMMIT, tip, said, place.file)
    if not commit:
        raise Refused(
            f"which migrations {said} holds is not known",
            where=shown,
            why="no commit of `doit promote` brought it there, so nobody knows what the rehearsal is to begin with",
            todo=f"doit promote:{service}@{place.environment.name}   (an image that was built from a commit)",
        )
    try:
        return dict(content.content(work.catalog, service, commit).streams)
    except GanderError as error:
        error.where = error.where or shown
        error.why = "\n".join(filter(None, (f"it is the commit of what {place.environment.name} has", error.why)))
        raise
