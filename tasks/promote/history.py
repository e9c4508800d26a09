"""What environments have, as the commits tell that wrote it down: the image's commit, and the migrations in it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from schemas.errors import GanderError
from schemas.target import Target
from tasks.promote.image import Images, Streams
from tasks.promote.message import COMMIT
from tasks.promote.standing import Seen

__all__ = ["NOBODY", "Earlier", "earlier"]

AT_ONCE = 8  # gits at the same time
NOBODY = "no commit of `doit promote` brought it there"


class Earlier(NamedTuple):
    """The image that a values file names."""

    commit: str  # that it was made of; empty where no commit of ours wrote it down
    streams: Streams | None  # None: nobody knows what it holds
    unknown: str = NOBODY  # why nobody does


def earlier(seen: Mapping[Target, Seen | GanderError], images: Images) -> dict[Target, Earlier]:
    """Of each release that could be looked at, what its environment has; several at once."""
    releases = {target: one for target, one in seen.items() if not isinstance(one, GanderError)}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        commits = dict(zip(releases, pool.map(_commit, releases.values()), strict=True))
    held = images.held({(target.service or "", commit) for target, commit in commits.items() if commit})
    repositories = {one.place.remote.repository for one in releases.values()}
    cut = {repository for repository in repositories if repository.shallow}
    found = {}
    for target, commit in commits.items():
        streams = held.get((target.service or "", commit))
        missing = f"its commit {commit[:12]} is not here" if commit else NOBODY
        shallow = releases[target].place.remote.repository in cut
        found[target] = Earlier(
            commit, streams, "this clone is shallow (git fetch --unshallow)" if shallow else missing
        )
    return found


def _commit(seen: Seen) -> str:
    return seen.place.remote.repository.trailer(COMMIT, seen.tip, seen.text, seen.place.file)
