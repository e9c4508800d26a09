"""Whether environments have rolled out what their branches say: the last operation of each, and nothing is changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor

from schemas.answer import Answer
from schemas.application import Application
from schemas.catalog import FACTS
from schemas.errors import GanderError
from tasks.image import content
from tasks.promote.sites import sites
from tasks.promote.standing import Seen, look
from tasks.sync.before import over
from tasks.sync.rendered import alike
from tasks.sync.watch import Follows
from tasks.verify.findings import Finding, find
from tasks.verify.gather import Gathered, gather
from tasks.verify.looks import Look, looks
from tasks.verify.release import Release, written
from tasks.verify.required import left_out, required
from tasks.verify.run import servers
from tasks.work import Work

__all__ = ["lacking", "up_to_date"]

AT_ONCE = 16  # releases that are looked at together


def lacking(gathered: Gathered, require: Collection[str]) -> tuple[Finding, ...]:
    """What speaks against a rollout being done, as `verify` judges each fact.

    That nobody could look at a database does not: to look is for `verify`. Nor does what the environment leaves out.
    """
    facts, expected = gathered
    found = find(facts, expected)
    if {one.fact for one in found} != set(FACTS):
        return (Finding(fact="database", about=expected.target, kind="unknown", says="its image is for no database"),)
    unseen = {label for label, one in facts.databases.items() if one.value is None}
    forgiven = left_out(facts, found, require)
    return tuple(
        one
        for one in found
        if one.kind != "holds" and one not in forgiven and not (one.fact == "database" and one.about in unseen)
    )


def up_to_date(works: Sequence[Work]) -> dict[str, Answer]:
    """Whether the last operation of each Application is a run of ours that rendered what its branch says now.

    It must have succeeded, and all that a sync ends well by must still be so: what nobody could verify is synced again.
    """
    began = looks(works[0]).clock()
    seen = look(works[0].catalog, [work.target for work in works], sites(works[0]).known)

    def one(work: Work) -> Answer:
        try:
            return _answer(work, seen[work.target], began)
        except GanderError as error:
            return Answer(up_to_date=None, because=f"not known: {error.what}")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip((work.target.name for work in works), pool.map(one, works), strict=True))


def _answer(work: Work, seen: Seen | GanderError, began: float) -> Answer:
    target = work.target
    looks(work).take(target)  # what was seen before is not so any more
    if not content.own(work.catalog.services[target.service or ""]):
        return Answer(up_to_date=True, because="it has no database of its own")
    if isinstance(seen, GanderError):
        raise seen
    release = written(work, seen.place, seen.tip)
    gathered = gather(work, target, release, servers(work).of(work, target))
    application = gathered.facts.application.value
    if application is None:
        return Answer(up_to_date=None, because=f"not known: {gathered.facts.application.why}")
    Follows.of(work.session).before.setdefault(f"{target.service}@{target.environment}", over(application))
    against = lacking(gathered, required(release.place.environment))
    speaks_against = _other(application, release) or next((f"{one.about}: {one.says}" for one in against), "")
    if speaks_against:
        return Answer(up_to_date=False, because=speaks_against)
    looks(work).keep(target, Look(release, gathered), began)
    return Answer(up_to_date=True, because=f"{application.name} has rolled out what {seen.place.called} says")


def _other(application: Application, release: Release) -> str:
    """Why the last operation is not the one, as far as the Application itself tells; empty where it may be."""
    state, source = application.state, application.source
    if application.automated:
        return "automated sync is on"
    if application.pending is not None:
        return f"an operation of {application.pending.whose} runs"
    if state is None:
        return "it was never synced"
    if source is None or state.source is None or source.whole != state.source.whole:
        return "the Application is rendered from another source since"
    if len(state.revisions) != 1 or not alike(release.place, source, state.revisions[0], release.tip):
        return f"{release.place.called} says something else of it since"
    return ""
