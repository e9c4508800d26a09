"""A release by pull request: its branch is pushed, and a person merges it."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.errors import GanderError, Refused, ToolError, Waiting
from schemas.target import Target
from tasks.promote.site import Site, line
from tasks.promote.standing import Seen
from tools import forge
from tools.git.remote import Remote

__all__ = ["branch_of", "wait", "waiting"]


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
    rest = place.target._replace(step="deploy") if place.environment.argocd else place.target
    return Waiting(
        f"{place.target.name} waits for a merge: {branch} into {place.branch}",
        why=address or "open a pull request for it",
        todo=f"merge it, then run: doit {rest.name}",
    )


def waiting(seen: Mapping[Target, Seen | GanderError], images: Mapping[Target, str]) -> dict[Target, str]:
    """The branch of each release by pull request that says this image and is not merged; each remote is asked once.

    Raises ToolError where one cannot be asked.
    """
    listed: dict[tuple[Remote, str], Mapping[str, str]] = {}
    found = {}
    for target, one in seen.items():
        if isinstance(one, GanderError) or not one.place.by_request or images.get(target) in {None, one.text}:
            continue
        place, branch = one.place, branch_of(one.place, images[target])
        group = (place.remote, branch.rpartition("/")[0])
        if group not in listed:
            listed[group] = place.remote.branches(f"{group[1]}/*")
        there = listed[group].get(branch)
        if there and not place.remote.repository.within(there, one.tip):
            found[target] = branch
    return found


def branch_of(place: Site, image: str) -> str:
    """The branch of a release: the same for every run that is about the same image."""
    tag = image.partition("@")[0].rpartition(":")[2]
    return f"promote/{place.environment.name}/{place.target.service}-{tag}"
