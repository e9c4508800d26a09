"""The step `promote`: one commit on the GitOps branch, in which one line of one values file names another image.

No work tree, index or branch of the user's is touched: the commit is made beside them and pushed (tools/git/onto.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas import values_file
from schemas.errors import GanderError, Refused, ToolError
from tasks.promote.image import Image, Look
from tasks.promote.judgement import Facts, refuse
from tasks.promote.message import message
from tasks.promote.request import wait
from tasks.promote.site import Site, line, site
from tasks.work import Outcome, Work
from tools import git
from tools.git import commit as recorder
from tools.git import onto, remote
from tools.lease import Lock

__all__ = ["promote"]

TRIES = 10  # commits that somebody else was faster than


def promote(work: Work, look: Look) -> Outcome:
    """Write the image of a commit down for an environment, unless its branch says it already.

    Raises Refused where it may not go there or cannot be written down, ToolError where git or the remote refuses,
    Waiting where a person has to merge it first.
    """
    service = work.target.service or ""
    place = site(work.catalog, work.target)
    source = _source(work)
    commit = _commit(source, work.variables.get("commit", "HEAD"))
    image = look(work.catalog, [service], commit)[service]
    if isinstance(image, GanderError):
        raise image
    refuse(_facts(work, place, source, commit, image))
    recorder.named(place.remote.repository)
    with _turn(work):
        return _written(work, place, image, commit)


def _written(work: Work, place: Site, image: Image, commit: str) -> Outcome:
    """Commit and push, again where somebody else was faster; done is only what the branch is seen to have."""
    refused_at = ""
    for _ in range(TRIES):
        work.progress.now(f"asking {place.called}")
        tip = place.tip()
        there = line(place, tip)
        if there.spot.text == image.whole:
            return Outcome(summary=f"{place.called} says {image.tag} already")
        text = _message(place, image, commit)
        new = values_file.written(there.file.text, there.spot, image.whole, f"{place.called}:{place.file}")
        made = onto.made(
            place.remote.repository, tip, there.file._replace(text=new), "\n\n".join(text), _state(work) / "promote"
        )
        if place.by_request:
            raise wait(place, tip, made, image.whole, text)
        work.progress.now(f"pushing to {place.called}")
        said = place.remote.push(made, place.branch)
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


def _message(place: Site, image: Image, commit: str) -> tuple[str, str]:
    return message(
        service=place.target.service or "",
        environment=place.environment.name,
        image=image.whole,
        commit=commit,
        streams=image.streams,
        before=None,
    )


def _facts(work: Work, place: Site, source: git.Repository, commit: str, image: Image) -> Facts:
    """What is to be known before a release is written down; the base branch is asked for a protected environment."""
    base = source.base(work.catalog.base) if place.environment.protected else None
    merged = None
    if base is not None:
        name = base.name.partition("/")[2]  # of a remote's branch
        tip = remote.of(source).tip(name) if name else base.commit
        merged = source.within(commit, tip) if tip else None
    return Facts(
        service=place.target.service or "",
        environment=place.environment,
        commit=commit,
        reference=image.reference,
        digest=image.digest,
        base=base.name if base else "",
        merged=merged,
    )


def _source(work: Work) -> git.Repository:
    found = git.find(work.catalog.root)
    if found is None:
        raise Refused(f"{work.catalog.root} is in no git repository, and only commits are released", todo="git init")
    return found


def _commit(source: git.Repository, name: str) -> str:
    found = source.commit(name)
    if found is None:
        raise Refused(f"there is no commit `{name}` here", todo="git fetch origin\nthen run it again")
    return found


def _state(work: Work) -> Path:
    state = work.catalog.root / ".state"
    state.mkdir(exist_ok=True)
    return state


@contextmanager
def _turn(work: Work) -> Iterator[None]:
    """One commit at a time is made: its index and content lie in one place, which sweeps itself."""
    lock = Lock(_state(work) / "promote.lock")
    with lock.held(waiting=lambda: work.progress.now("waiting: another service is being promoted")):
        yield
