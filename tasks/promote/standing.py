"""Whether environments have the images of a commit: each branch is asked once, and nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from schemas.answer import Answer
from schemas.catalog import Catalog
from schemas.errors import GanderError
from schemas.target import Target
from tasks.promote.image import Images
from tasks.promote.judgement import answer
from tasks.promote.site import Site, site, spotted
from tasks.work import Work
from tools.git import onto
from tools.git.onto import Blob
from tools.git.remote import Remote

__all__ = ["Seen", "look", "standing"]

AT_ONCE = 8  # remotes that are asked together


def standing(works: Sequence[Work], images: Images) -> dict[str, Answer]:
    """Whether each target's branch says the image of the run's commit."""
    catalog, targets = works[0].catalog, [work.target for work in works]
    services = list(dict.fromkeys(target.service or "" for target in targets))
    found = images.of(services)
    seen = look(catalog, targets)
    return {
        target.name: answer(catalog.environments[target.environment], found[target.service or ""], _text(seen[target]))
        for target in targets
    }


class Seen(NamedTuple):
    """A release as its branch has it."""

    place: Site
    tip: str  # the branch's commit
    text: str  # what the values file says


def look(catalog: Catalog, targets: Sequence[Target]) -> dict[Target, Seen | GanderError]:
    """What each target's values file says on its branch, or why that is not known."""
    known: dict[Path, Remote] = {}
    found: dict[Target, Seen | GanderError] = {}
    branches: dict[tuple[Remote, str], list[Site]] = {}
    for target in targets:
        try:
            place = site(catalog, target, known)
        except GanderError as error:
            found[target] = error
        else:
            branches.setdefault((place.remote, place.branch), []).append(place)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for some in pool.map(_read, branches.values()):
            found |= some
    return found


def _read(places: Sequence[Site]) -> dict[Target, Seen | GanderError]:
    """What the files of one branch say."""
    try:
        tip = places[0].tip()
        files = onto.blobs(places[0].remote.repository, tip, [place.file for place in places])
    except GanderError as error:
        return dict.fromkeys((place.target for place in places), error)
    return {place.target: _one(place, tip, files) for place in places}


def _one(place: Site, tip: str, files: Mapping[str, Blob | GanderError]) -> Seen | GanderError:
    try:
        return Seen(place, tip, spotted(place, files).spot.text)
    except GanderError as error:
        return error


def _text(seen: Seen | GanderError) -> str | GanderError:
    return seen if isinstance(seen, GanderError) else seen.text
