"""A release to an environment that takes only what another one has verified: looked at, confirmed, looked at again.

The guards stand around the write itself, so that no flag of doit and no kept state gets past them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from schemas.errors import Refused
from tasks.confirm import named
from tasks.image.content import own
from tasks.promote.image import Image, Images, Streams, short
from tasks.promote.judgement import Facts, refuse
from tasks.promote.message import OVERRIDE, REF, changes
from tasks.promote.offer import Offer, offer
from tasks.promote.release import before, gathered, state, turn, written
from tasks.promote.site import Site, line, site
from tasks.promote.standing import Seen
from tasks.work import Outcome, Work
from tools.git import commit as recorder
from tools.lease import Lock

__all__ = ["promote"]


class Shown(NamedTuple):
    """What somebody confirms; it is compared with what is there right before it is written."""

    tip: str  # of the GitOps branch
    text: str  # what its values file says
    image: Image
    lines: tuple[str, ...]


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
                _same(work, place, shown, now)
            more = {REF: known.ref, OVERRIDE: known.override if known.overridden else ""}
            return written(work, place, now.image, images, tip=now.tip if environment.protected else "", more=more)


def _looked(work: Work, place: Site, images: Images) -> tuple[Shown, Facts]:
    """Everything as it is now; raises Refused unless it may go there."""
    work.progress.now(f"looking whether {place.environment.after} has verified it")
    found = offer(work, work.target, images)
    known = gathered(work, place, found.image, found.qualified)
    refuse(known)
    tip = place.tip()
    text = line(place, tip).spot.text
    now, there = Seen(place, tip, text), before(place, tip, text, images)
    return Shown(tip, text, found.image, tuple(_lines(place, found, known, now=now, there=there))), known


def _same(work: Work, place: Site, shown: Shown, now: Shown) -> None:
    """Raise Refused unless what was shown is what is there."""
    differing = {
        f"{place.called} is at {now.tip[:12]}, and was at {shown.tip[:12]}": now.tip != shown.tip,
        f"the image is {now.image.whole}, and was {shown.image.whole}": now.image != shown.image,
        f"the values file says {now.text or 'no image'}, and said {shown.text or 'no image'}": now.text != shown.text,
        "what it would bring has changed": now.lines != shown.lines,
    }
    told = [what for what, differs in differing.items() if differs]
    if told:
        raise Refused(
            "it is not what was shown any more, so nothing was written",
            why="\n".join(told),
            todo=f"look at it again: doit {work.target.name}",
        )


def _lines(place: Site, found: Offer, known: Facts, *, now: Seen, there: Streams | None) -> Iterator[str]:
    """The plan that somebody confirms."""
    image, environment = found.image, place.environment
    yield f"{place.target.service}@{environment.name}, on {place.called} at {now.tip[:12]}:"
    yield f"  now   {short(now.text) or 'no image'}"
    yield f"  then  {image.tag}, of {image.commit[:12]}"
    for paragraph in changes(image.streams, there):
        yield from (f"  {one}" for one in paragraph.splitlines())
    yield f"  {found.qualified.says}"
    if known.overridden:
        yield f"  it goes there all the same: {known.override} ({known.ref})"
