"""A release by pull request: its branch is pushed, and a person merges it."""

from __future__ import annotations

from schemas.errors import Refused, ToolError, Waiting
from tasks.promote.site import Site, line
from tools import forge

__all__ = ["branch_of", "wait"]


def wait(place: Site, tip: str, made: str, image: str, text: tuple[str, str]) -> Waiting:
    """Push the commit as a branch of its own, unless an earlier run has, and return what the person is told.

    ``image`` is what the branch must say, ``text`` the title and body of the pull request. Raises Refused where the
    branch is there and says something else, ToolError where the remote takes none.
    """
    remote, branch = place.remote, branch_of(place, image)
    there = remote.tip(branch)
    if there is None or remote.repository.within(there, tip):  # what was merged once may have been reverted since
        said = remote.push(made, branch)
        there = remote.tip(branch)
        if there is None or not remote.repository.within(made, there):
            raise ToolError(f"the remote does not take the branch {branch}", why=said, todo="run it again")
    if line(place, there, f"{remote.name}/{branch}").spot.text != image:
        raise Refused(
            f"the branch {branch} is there, and says another image",
            where=f"{remote.name}/{branch}:{place.file}",
            todo=f"git -C {remote.repository.root} push {remote.name} --delete {branch}\nthen run it again",
        )
    address = forge.opened(remote, place.branch, branch, *text)
    return Waiting(
        f"{place.target.name} waits for a merge: {branch} into {place.branch}",
        why=address or "open a pull request for it",
        todo=f"merge it, then run again: doit {place.target.name}",
    )


def branch_of(place: Site, image: str) -> str:
    """The branch of a release: the same for every run that is about the same image."""
    tag = image.partition("@")[0].rpartition(":")[2]
    return f"promote/{place.environment.name}/{place.target.service}-{tag}"
