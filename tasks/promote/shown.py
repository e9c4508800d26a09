"""What somebody confirms of a release, and that it is still so right before it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from schemas.errors import Refused
from tasks.promote.image import Image, Streams, short
from tasks.promote.judgement import Facts
from tasks.promote.message import changes
from tasks.promote.offer import Offer
from tasks.promote.site import Site
from tasks.work import Session, Work

__all__ = ["Confirmed", "Shown", "same", "told"]


class Shown(NamedTuple):
    """What is shown; it is compared with what is there right before the write."""

    tip: str  # of the GitOps branch
    text: str  # what its values file says
    image: Image
    lines: tuple[str, ...]


def same(work: Work, place: Site, shown: Shown, now: Shown) -> None:
    """Raise Refused unless what was shown is what is there."""
    differing = {
        f"{place.called} is at {now.tip[:12]}, and was at {shown.tip[:12]}": now.tip != shown.tip,
        f"the image is {now.image.whole}, and was {shown.image.whole}": now.image != shown.image,
        f"the values file says {now.text or 'no image'}, and said {shown.text or 'no image'}": now.text != shown.text,
        "what it would bring has changed": now.lines != shown.lines,
    }
    against = [what for what, differs in differing.items() if differs]
    if against:
        raise Refused(
            "it is not what was shown any more, so nothing was written",
            why="\n".join(against),
            todo=f"look at it again: doit {work.target.name}",
        )


def told(place: Site, tip: str, found: Offer, known: Facts, *, has: str, there: Streams | None) -> Iterator[str]:
    """The plan that somebody confirms: what the environment has, what it gets, which files those are, and why it may.

    ``has`` is the image there now, and ``there`` what that one holds; None: nobody knows.
    """
    image, environment = found.image, place.environment
    yield f"{place.target.service}@{environment.name}, on {place.called} at {tip[:12]}:"
    yield f"  now   {short(has) or 'no image'}"
    yield f"  then  {image.tag}, of {image.commit[:12]}"
    for paragraph in changes(image.streams, there):
        yield from (f"  {one}" for one in paragraph.splitlines())
    yield f"  {found.qualified.says}"
    if known.overridden:
        yield f"  it goes there all the same: {known.override} ({known.ref})"


class Confirmed:
    """The releases that somebody has confirmed in this run, each with the commit that `promote` made of it.

    So `deploy` asks once for what is one decision. It is never kept: another run asks again.
    """

    def __init__(self) -> None:
        self._made: dict[str, tuple[str, str]] = {}

    @classmethod
    def of(cls, session: Session) -> Confirmed:
        """Those of this run of doit."""
        return session.shared("confirmed", cls)

    def close(self) -> None:
        """Forget them."""
        self._made.clear()

    def keep(self, place: Site, image: str, commit: str) -> None:
        """Somebody has confirmed this image for this environment, and the commit says so on its branch."""
        self._made[_name(place)] = image, commit

    def commit(self, place: Site, image: str) -> str:
        """The commit that says what was confirmed; empty where nobody has confirmed this image."""
        confirmed, commit = self._made.get(_name(place), ("", ""))
        return commit if confirmed == image else ""


def _name(place: Site) -> str:
    return f"{place.target.service}@{place.environment.name}"
