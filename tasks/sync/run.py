"""The step `sync`: asks Argo CD for the release as its branch has it, follows the operation, and judges its end.

It says that all is well only of what `verify` judges so, the databases apart; those are looked at by `verify`.
"""

from __future__ import annotations

import time
from dataclasses import replace

from schemas.application import Application
from schemas.errors import ArgoError, Refused
from schemas.target import Target
from tasks.image import content
from tasks.promote import references
from tasks.promote.sites import sites
from tasks.sync import given
from tasks.sync import request as requests
from tasks.sync.before import Ask, Resume, begin, closed, latest, over
from tasks.sync.ending import ended, goes_on, stopped
from tasks.sync.follow import DEADLINE, Memory, jobs_of, shown, step
from tasks.sync.permission import Permission
from tasks.sync.rendered import alike as same
from tasks.sync.request import Request
from tasks.sync.site import Site
from tasks.sync.watch import Follows, Tail, look
from tasks.verify.gather import printed
from tasks.verify.kept import keep
from tasks.verify.looks import looks
from tasks.verify.release import release
from tasks.verify.run import servers
from tasks.work import Outcome, Work
from tools.shell import redact

__all__ = ["run"]

BUSY = 5  # times that something else is in the way of a request, though nothing is seen to run
SILENCE = 60.0  # seconds without a word of Argo CD


def run(work: Work) -> Outcome:
    """Roll a release out, or take up the run that does.

    Raises Refused where it may not begin, NotVerified where it did not end well or has not ended, ArgoError.
    """
    target: Target = work.target
    service = target.service or ""
    if not content.own(work.catalog.services[service]):
        return Outcome(summary="no database of its own, so nothing to sync")
    environment = work.catalog.environments[target.environment]
    looks(work).take(target)  # what it was before
    work.progress.now("looking at the release")
    written = release(work, target)
    site = Site(
        work=work,
        target=f"{service}@{target.environment}",
        server=servers(work).of(work, target),
        follows=Follows.of(work.session),
        written=written,
        expected=written.expected(environment.namespace or ""),
    )
    if not environment.namespace:
        namespace = site.server.application(site.expected.application).namespace
        site = site._replace(expected=replace(site.expected, namespace=namespace))
    if work.variables.get("stop") == "true":
        return stopped(site)
    site, wanted = _begun(site)
    try:
        with site.follows.following(site.target, wanted.run):
            return _followed(site, wanted)
    finally:
        sites(work).moved()  # others may have pushed meanwhile


def _begun(site: Site) -> tuple[Site, Request]:
    """Ask for the release, or find the run that does it already; each time by what branch and Application say then."""
    until, busy, waiting = time.monotonic() + DEADLINE, 0, ""
    permission, prepared = Permission(), None
    while True:
        application = site.server.application(site.expected.application)
        before = site.follows.before.setdefault(site.target, over(application))
        alike = _alike(site, application, before)
        first = begin(application, site.expected.image, alike, site.target, before=before)
        if isinstance(first, Resume):
            site.say(f"taking up run {first.run}")
            return site, Request(site.expected.application, site.expected.image, first.commit, first.run)
        if isinstance(first, Ask):
            if prepared != (application.state, site.written.tip):
                if _prepared(site, application, permission):
                    prepared = application.state, site.written.tip
                else:
                    site = site.read()
                continue  # that took a while, in which somebody may have synced this very release
            wanted = requests.new(application.name, site.expected.image, site.written.tip)
            with site.follows.following(site.target, wanted.run):
                refused = requests.ask(site.server, wanted, site.follows.pause, site.say)
            if refused is None:
                site.say(f"asked for {wanted.commit[:12]}, run {wanted.run}")
                return site, wanted
            busy += 1
            if busy == BUSY:
                raise refused
        elif first.whose != waiting:
            waiting = first.whose
            site.say(f"waiting for an operation of {waiting}")
        if time.monotonic() > until:
            raise Refused(
                f"{application.name} was busy all the time, and nothing was asked for",
                why=f"an operation of {waiting}" if waiting else "",
                todo=f"when it is over: doit sync:{site.target}",
            )
        site.follows.pause()
        site = site.read()


def _prepared(site: Site, application: Application, permission: Permission) -> bool:
    """Whether it may be asked for, by this state of the Application; False: everything is to be looked at again first.

    What the Jobs of the operation before have printed is kept, as the next one deletes it. Raises Refused.
    """
    if application.state is not None:
        keep(site.work, site.work.target, printed(site.server, site.expected, site.engines))
    closed(site.server.windows(application.name), application.name, site.target)
    given.refuse(site.written.place, application, site.written.tip, site.expected.image)
    if not permission.given(site, application):
        return False
    references.refuse(site.work, site.written.commit)
    return True


def _alike(site: Site, application: Application, before: str) -> frozenset[str]:
    """The commit of the operation that may be taken up, where it says the same as the branch does now."""
    last, source, tip = latest(application, before), application.source, site.written.tip
    commits = last.revisions if last and source else ()
    return frozenset(one for one in commits if source and same(site.written.place, source, one, tip))


def _followed(site: Site, wanted: Request) -> Outcome:
    """Show what the operation does until it ends, or until it is clear that it will not."""
    tail = Tail(site.server, site.expected, site.engines)
    began = heard = time.monotonic()
    memory, told = Memory(run=wanted.run, begun=began), ""
    while True:
        at = time.monotonic()
        try:
            seen = look(site.server, site.expected)
        except ArgoError as silent:
            if at - heard > SILENCE:
                what = f"Argo CD is not heard any more, and run {wanted.run} may go on"
                raise goes_on(site, what, str(silent)) from silent
            site.say(silent.what)
        else:
            heard = at
            memory, now = step(memory, seen, at)
            line = now.says if now.what == "ended" else "; ".join(filter(None, (shown(seen), now.says)))
            if line != told:
                site.say(line)
                told = line
            for job, found in jobs_of(seen).items():
                for text in tail.new(job, found.pods):
                    site.work.progress.line(redact(text))
            if now.what != "on":
                return ended(site, wanted, seen, now, tail)
        site.follows.pause(at - began)
