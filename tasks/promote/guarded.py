"""A release to an environment that takes only what another one has verified: looked at, confirmed, looked at again.

The guards stand around the write itself, so that no flag of doit and no kept state gets past them.
"""

from __future__ import annotations

from tasks.confirm import named
from tasks.image.content import own
from tasks.promote import references, tables
from tasks.promote.image import Images
from tasks.promote.judgement import Facts, refuse
from tasks.promote.message import OVERRIDE, REF
from tasks.promote.offer import offer
from tasks.promote.release import before, gathered, state, turn, written
from tasks.promote.shown import Confirmed, Shown, same, told
from tasks.promote.site import Site, line, site
from tasks.work import Outcome, Work
from tools.git import commit as recorder
from tools.lease import Lock

__all__ = ["promote"]


def promote(work: Work, images: Images) -> Outcome:
    """Write down for an environment what the one before has verified, after it was confirmed where it is protected.

    Raises Refused where nothing qualifies, nobody confirms or anything has changed meanwhile, Waiting where a person
    has to merge it first; ToolError and RegistryError as git and the registry do.
    """
    environment = work.catalog.environments[work.target.environment]
    if not own(work.catalog.services[work.target.service or ""]):
        return Outcome(summary="no database of its own, so no image")
    place = site(work.catalog, work.target)
    recorder.named(place.remote.repository)
    lock = Lock(state(work) / "confirm.lock")
    with lock.held(waiting=lambda: work.progress.now("waiting: another release is being confirmed")):
        shown, _ = _looked(work, place, images)
        if shown.text == shown.image.whole:
            return Outcome(summary=f"{place.called} says {shown.image.tag} already")
        if environment.protected:
            named(work, shown.lines, environment.name)
        with turn(work):
            now, known = _looked(work, place, images)
            if environment.protected:
                same(work, place, shown, now)
            tables.refuse(work, now.image.commit)
            more = {REF: known.ref, OVERRIDE: known.override if known.overridden else ""}
            done = written(work, place, now.image, images, tip=now.tip if environment.protected else "", more=more)
        if environment.protected and "commit" in done.values:
            Confirmed.of(work.session).keep(place, now.image.whole, str(done.values["commit"]))
        return done


def _looked(work: Work, place: Site, images: Images) -> tuple[Shown, Facts]:
    """Everything as it is now; raises Refused unless it may go there."""
    work.progress.now(f"looking whether {place.environment.after} has verified it")
    found = offer(work, work.target, images)
    known = gathered(work, place, found.image, found.qualified)
    refuse(known)
    references.refuse(work, found.image.commit)
    tip = place.tip()
    text = line(place, tip).spot.text
    brings = told(place, tip, found, known, has=text, there=before(place, tip, text, images))
    return Shown(tip, text, found.image, tuple(brings)), known
