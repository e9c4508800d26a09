"""Whether environments have the images of a commit: each branch is asked once, and nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from schemas.answer import Answer
from schemas.catalog import Catalog
from schemas.errors import GanderError
from schemas.target import Target
from tasks.promote.image import Look
from tasks.promote.judgement import answer
from tasks.promote.site import Site, site, spotted
from tasks.work import Work
from tools.git import onto
from tools.git.onto import Blob
from tools.git.remote import Remote

__all__ = ["said", "standing"]

AT_ONCE = 8  # remotes that are asked together


def standing(works: Sequence[Work], look: Look) -> dict[str, Answer]:
    """Whether each target's branch says the image of the commit that is meant."""
    catalog, targets = works[0].catalog, [work.target for work in works]
    services = list(dict.fromkeys(target.service or "" for target in targets))
    images = look(catalog, services, works[0].variables.get("commit", "HEAD"))
    texts = said(catalog, targets)
    return {
        target.name: answer(catalog.environments[target.environment], images[target.service or ""], texts[target])
        for target in targets
    }


def said(catalog: Catalog, targets: Sequence[Target]) -> dict[Target, str | GanderError]:
    """What each target's values file says on its branch, or why that is not known."""
    known: dict[Path, Remote] = {}
    found: dict[Target, str | GanderError] = {}
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


def _read(places: Sequence[Site]) -> dict[Target, str | GanderError]:
    """What the files of one branch say."""
    try:
        tip = places[0].tip()
        files = onto.blobs(places[0].remote.repository, tip, [place.file for place in places])
    except GanderError as error:
        return dict.fromkeys((place.target for place in places), error)
    return {place.target: _text(place, files) for place in places}


def _text(place: Site, files: Mapping[str, Blob | GanderError]) -> str | GanderError:
    try:
        return spotted(place, files).spot.text
    except GanderError as error:
        return error
