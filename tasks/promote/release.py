"""The step `promote`: one commit on the GitOps branch, in which one line of one values file names another image.

No work tree, index or branch of the user's is touched: the commit is made beside them and pushed (tools/git/onto.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from schemas import values_file
from schemas.errors import GanderError, Refused, ToolError
from tasks.image import built
from tasks.promote import references, tables
from tasks.promote.image import Image, Images, Streams
from tasks.promote.judgement import Facts, refuse
from tasks.promote.message import BUILT, COMMIT, NONE, REF, message
from tasks.promote.qualify import Qualified
from tasks.promote.request import wait
from tasks.promote.site import Site, line, site
from tasks.promote.sites import sites
from tasks.promote.standing import OF_AFTER
from tasks.work import Outcome, Work
from tools import git
from tools.git import commit as recorder
from tools.git import onto, remote
from tools.lease import Lock

__all__ = ["before", "gathered", "promote", "state", "turn", "written"]

TRIES = 10  # commits that somebody else was faster than


def promote(work: Work, images: Images) -> Outcome:
    """Write the image of the run's commit down for an environment, unless its branch says it already.

    Raises Refused where it may not go there or cannot be written down, ToolError where git or the remote refuses,
    Waiting where a person has to merge it first.
    """
    service = work.target.service or ""
    of_after = [f"{name}=" for name in sorted(OF_AFTER & work.variables.keys())]
    if of_after:
        raise Refused(
            f"{' and '.join(of_after)} is for an environment that takes what another has verified",
            why=f"{work.target.environment} has no `after:`: it gets the image of a commit",
            todo=f"doit {work.target.name} commit=COMMIT",
        )
    image = images.of([service])[service]
    if isinstance(image, GanderError):
        raise image
    if image is None:
        return Outcome(summary="no database of its own, so no image")
    place = site(work.catalog, work.target)
    refuse(gathered(work, place, image))
    references.refuse(work, image.commit)
    recorder.named(place.remote.repository)
    with turn(work):
        tables.refuse(work, image.commit)
        return written(work, place, image, images, more={REF: work.variables.get("ref", "")})


def written(
    work: Work, place: Site, image: Image, images: Images, *, tip: str = "", more: Mapping[str, str] = NONE
) -> Outcome:
    """Commit and push, again where somebody else was faster; done is only what the branch is seen to have.

    With ``tip`` only on top of that commit: Refused where the branch has moved. ``more`` are trailers.
    """
    refused_at, confirmed = "", tip
    for _ in range(TRIES):
        work.progress.now(f"asking {place.called}")
        tip = place.tip()
        if confirmed and tip != confirmed:
            raise Refused(
                f"{place.called} has moved since it was looked at, so nothing was written",
                why=f"it is at {tip[:12]}, and was at {confirmed[:12]}",
                todo=f"look at it again: doit {work.target.name}",
            )
        there = line(place, tip)
        if there.spot.text == image.whole:
            return Outcome(summary=f"{place.called} says {image.tag} already")
        known = {BUILT: _built(work, place, image), **more}
        text = _message(place, image, before(place, tip, there.spot.text, images), known)
        new = values_file.written(there.file.text, there.spot, image.whole, f"{place.called}:{place.file}")
        made = onto.made(
            place.remote.repository, tip, there.file._replace(text=new), "\n\n".join(text), state(work) / "promote"
        )
        if place.by_request:
            raise wait(place, tip, made, image.whole, text)
        work.progress.now(f"pushing to {place.called}")
        said = place.remote.push(made, place.branch)
        sites(work).moved()
        now = place.tip()
        if place.remote.repository.within(made, now):
            values = {"commit": made, "image": image.whole}
            return Outcome(summary=f"{place.called} says {image.tag}, {made[:12]}", values=values)
        if now == tip and refused_at == tip:  # twice: it was nobody else's push that was in the way
            raise ToolError(
                f"{place.remote.name} takes no commit on {place.branch}",
                why=said,
                todo=f"where the branch is protected: gitops: {{push: pull-request}} in {work.catalog.file.name}",
            )
        refused_at = tip
    raise ToolError(f"{place.called} moved {TRIES} times while a commit on it was pushed", todo="run it again")


def before(place: Site, tip: str, text: str, images: Images) -> Streams | None:
    """What an environment has whose values file says that text, as the commit tells that promoted it; None without."""
    commit = place.remote.repository.trailer(COMMIT, tip, text, place.file)
    return images.streams(place.target.service or "", commit) if commit else None


def _built(work: Work, place: Site, image: Image) -> str:
    """Who built it and when: as this machine noted it, or as it was written down for the environment before."""
    noted = built.noted(work, place.target.service or "", image.whole)
    after = place.environment.after
    if noted is not None or not after:
        return str(noted or "")
    there = site(work.catalog, place.target._replace(environment=after), sites(work).known)
    return there.remote.repository.trailer(BUILT, sites(work).tip(there), image.whole, there.file)


def _message(place: Site, image: Image, before: Streams | None, more: Mapping[str, str]) -> tuple[str, str]:
    return message(
        service=place.target.service or "",
        environment=place.environment.name,
        image=image.whole,
        commit=image.commit,
        streams=image.streams,
        before=before,
        more=more,
    )


def gathered(work: Work, place: Site, image: Image, qualified: Qualified | None = None) -> Facts:
    """What is to be known before a release is written down; the base branch is asked for a protected environment."""
    source = git.Repository(work.catalog.root)
    base = source.base(work.catalog.base) if place.environment.protected else None
    merged = None
    if base is not None:
        name = base.name.partition("/")[2]  # of a remote's branch
        tip = remote.of(source).tip(name) if name else base.commit
        merged = source.within(image.commit, tip) if tip else None
    return Facts(
        service=place.target.service or "",
        environment=place.environment,
        commit=image.commit,
        reference=image.reference,
        digest=image.digest,
        base=base.name if base else "",
        merged=merged,
        qualified=qualified,
        override=" ".join(work.variables.get("override", "").split()),
        ref=" ".join(work.variables.get("ref", "").split()),
    )


def state(work: Work) -> Path:
    """The folder of everything that is made."""
    state = work.catalog.root / ".state"
    state.mkdir(exist_ok=True)
    return state


@contextmanager
def turn(work: Work) -> Iterator[None]:
    """One commit at a time is made: its index and content lie in one place, which sweeps itself."""
    lock = Lock(state(work) / "promote.lock")
    with lock.held(waiting=lambda: work.progress.now("waiting: another service is being promoted")):
        yield
