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
from tasks.image.content import own
from tasks.promote.image import Image, Images
from tasks.promote.judgement import Wanted, answer, answer_after
from tasks.promote.message import IMAGE
from tasks.promote.site import Site, site, spotted
from tasks.promote.sites import sites
from tasks.work import Work
from tools.git import onto
from tools.git.onto import Blob
from tools.git.remote import Remote

__all__ = ["OF_AFTER", "Seen", "look", "standing"]

OF_AFTER = frozenset(("tag", "override"))  # variables for environments after another one
AT_ONCE = 8  # remotes that are asked together


def standing(works: Sequence[Work], images: Images) -> dict[str, Answer]:
    """Whether each target's branch says the image of the run's commit, or what the environment before has."""
    catalog, targets = works[0].catalog, [work.target for work in works]
    later = [target for target in targets if catalog.environments[target.environment].after]
    services = list(dict.fromkeys(target.service or "" for target in targets if target not in later))
    found = images.of(services) if services else {}
    before = {target: _before(catalog, target) for target in later}
    both = [*targets, *(one for one in before.values() if one not in targets)]
    seen = look(catalog, both, sites(works[0]).known)
    answers = {}
    for target in targets:
        environment, said = catalog.environments[target.environment], _text(seen[target])
        if not own(catalog.services[target.service or ""]):
            answers[target.name] = answer(environment, None, said)
        elif target in before:
            wanted = _wanted(works[0], target, seen[before[target]], images)
            answers[target.name] = answer_after(environment, wanted, said, ours=_ours(seen[target]))
        elif OF_AFTER & works[0].variables.keys():
            answers[target.name] = Answer(up_to_date=None, because="not known: it takes no such choice")
        else:
            answers[target.name] = answer(environment, found[target.service or ""], said)
    return answers


def _before(catalog: Catalog, target: Target) -> Target:
    return target._replace(environment=catalog.environments[target.environment].after or "")


def _wanted(work: Work, target: Target, before: Seen | GanderError, images: Images) -> Wanted | GanderError:
    """What an environment after another one is to have."""
    if work.variables.get("commit"):
        image = images.of([target.service or ""])[target.service or ""]
        return Wanted(image=image.whole) if isinstance(image, Image) else image or Wanted()
    if work.variables.get("tag"):
        return Wanted(tag=work.variables["tag"])
    return before if isinstance(before, GanderError) else Wanted(image=before.text)


def _ours(seen: Seen | GanderError) -> bool:
    """Whether it was `doit promote` that brought what the values file says."""
    if isinstance(seen, GanderError):
        return False
    return seen.place.remote.repository.trailer(IMAGE, seen.tip, seen.text, seen.place.file) == seen.text


class Seen(NamedTuple):
    """A release as its branch has it."""

    place: Site
    tip: str  # the branch's commit
    text: str  # what the values file says


def look(
    catalog: Catalog, targets: Sequence[Target], known: dict[Path, Remote] | None = None
) -> dict[Target, Seen | GanderError]:
    """What each target's values file says on its branch, or why that is not known; ``known`` as for `site`."""
    known = {} if known is None else known
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
