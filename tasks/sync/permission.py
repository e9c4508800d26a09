"""May a release be rolled out where only what another environment has verified goes, or where a person decides?

Asked right before Argo CD is, of the world as it is then. That the branch names an image proves nothing: whoever can
push there could have written it.
"""

from __future__ import annotations

from dataclasses import replace

from schemas.application import Application
from schemas.errors import GanderError
from tasks.confirm import named
from tasks.promote.judgement import Facts, refuse
from tasks.promote.message import OVERRIDE, REF
from tasks.promote.offer import worth
from tasks.promote.release import before, gathered, state
from tasks.promote.run import images
from tasks.promote.shown import Confirmed, Shown, same, told
from tasks.promote.site import line
from tasks.sync.rendered import alike
from tasks.sync.site import Site
from tools.lease import Lock

__all__ = ["Permission"]


class Permission:
    """What one sync was allowed; an environment that is not protected and has no `after` takes everything."""

    def __init__(self) -> None:
        self._shown: Shown | None = None

    def given(self, site: Site, application: Application) -> bool:
        """Whether it may be asked for at once. False: a person was asked, so everything is to be looked at again first.

        Raises Refused where it may not go there, nobody confirms it, or it is not what was confirmed any more.
        """
        environment = site.written.place.environment
        if not (environment.protected or environment.after):
            return True
        now = _looked(site, application)
        if not environment.protected or _confirmed(site, application):
            return True
        if self._shown is None:
            lock = Lock(state(site.work) / "confirm.lock")
            with lock.held(waiting=lambda: site.say("waiting: another release is being confirmed")):
                named(site.work, now.lines, environment.name)
            self._shown = now
            return False
        same(site.work, site.written.place, self._shown, now)
        return True


def _confirmed(site: Site, application: Application) -> bool:
    """Whether somebody has confirmed it in this run already, when it was promoted."""
    written = site.written
    commit = Confirmed.of(site.work.session).commit(written.place, written.image)
    return bool(commit and application.source and alike(written.place, application.source, commit, written.tip))


def _looked(site: Site, application: Application) -> Shown:
    """Everything as it is now; raises Refused unless it may go there."""
    work, written = site.work, site.written
    place = written.place
    if place.environment.after:
        site.say(f"looking whether {place.environment.after} has verified it")
    found = worth(work, work.target, written.image, written.commit)
    known = _overridden(site, gathered(work, place, found.image, found.qualified))
    refuse(known, step="sync")
    has, since = _has(site, application)
    brings = told(place, written.tip, found, known, has=has, there=before(place, since, has, images(work)))
    return Shown(written.tip, written.image, found.image, tuple(brings))


def _overridden(site: Site, known: Facts) -> Facts:
    """With the override that stands in the commit which promoted it, and in no word of this command."""
    place, written = site.written.place, site.written

    def trailer(name: str) -> str:
        return place.remote.repository.trailer(name, written.tip, written.image, place.file)

    override, ref = trailer(OVERRIDE), trailer(REF)
    return replace(known, override=override if ref else "", ref=ref if override else "")


def _has(site: Site, application: Application) -> tuple[str, str]:
    """The image of the last sync that went well, and its commit; empty where that is not known."""
    last = application.state
    if last is None or last.phase != "Succeeded" or len(last.revisions) != 1:
        return "", ""
    (commit,) = last.revisions
    try:
        return line(site.written.place, commit).spot.text, commit
    except GanderError:
        return "", ""
