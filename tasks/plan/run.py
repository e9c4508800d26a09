"""The operation `plan`: what a release of each service would change in each environment; nothing is written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple

from schemas.errors import GanderError
from schemas.target import Target
from tasks.image.content import own
from tasks.image.making import Making, making
from tasks.plan.databases import ask
from tasks.plan.findings import Findings
from tasks.plan.held import Asked
from tasks.plan.prospect import CHANGES, OPEN, Facts, Prospect, foresee, linted, reading
from tasks.plan.report import document, markdown, text
from tasks.promote import references
from tasks.promote.history import Earlier, earlier
from tasks.promote.image import Image, Images
from tasks.promote.judgement import refuse
from tasks.promote.offer import Offer, offer
from tasks.promote.release import gathered
from tasks.promote.request import waiting
from tasks.promote.run import images
from tasks.promote.sites import sites
from tasks.promote.standing import Seen, look
from tasks.work import Outcome, Work

__all__ = ["run"]

AT_ONCE = 8


def run(work: Work) -> Outcome:
    """Print what would change; exit code 0 for nothing, 4 for changes, 1 where something cannot be told."""
    prospects = _foreseen(work, images(work), making(work))
    shape = work.variables.get("format", "text")
    if shape == "json":
        work.out(json.dumps({"version": 1, "releases": [document(one) for one in prospects]}, indent=2))
    else:
        for line in markdown(prospects) if shape == "markdown" else text(prospects):
            work.out(line)
    codes = [one.code for one in prospects]
    changes, unknown = codes.count(CHANGES), codes.count(OPEN)
    if unknown:
        return Outcome(summary=f"{unknown} of {len(codes)} cannot be told", exit_code=OPEN)
    if changes:
        return Outcome(summary=f"{changes} of {len(codes)} would change", exit_code=CHANGES)
    return Outcome(summary="nothing to do")


class World(NamedTuple):
    """What git, registries, branches and databases were seen to have."""

    made: Making
    images: Mapping[Target, Image | GanderError | None]  # that it would get
    offers: Mapping[Target, Offer]  # of the environment before, where there is one
    seen: Mapping[Target, Seen | GanderError]
    known: Mapping[Target, Earlier]
    asked: Mapping[Target, Mapping[str, Asked]]
    branches: Mapping[Target, str]


def _foreseen(work: Work, found: Images, made: Making) -> list[Prospect]:
    world = _world(work, work.targets, found, made)
    findings = Findings(work, made)

    def one(target: Target) -> Prospect:
        return _linted(reading(foresee(_facts(work, target, world)), _reading(work, target, world)), findings)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, work.targets))


def _reading(work: Work, target: Target, world: World) -> Sequence[GanderError]:
    """Why the release would be refused for a database that the service only reads."""
    image = world.images[target]
    if isinstance(image, GanderError):
        return ()
    try:
        return references.look(work.catalog, target, image.commit if image else world.made.commit)
    except GanderError as error:
        return (error,)


def _world(work: Work, targets: Sequence[Target], found: Images, made: Making) -> World:
    """Everybody is asked at the same time."""
    catalog, shared = work.catalog, sites(work)
    later = [target for target in targets if catalog.environments[target.environment].after]
    services = list(dict.fromkeys(target.service or "" for target in targets if target not in later))
    with ThreadPoolExecutor(4) as pool:
        of_commit = pool.submit(found.of, services)
        there = pool.submit(look, catalog, targets, shared.known)
        databases = pool.submit(ask, catalog, targets, made)
        offers = pool.submit(_offers, work, later, found)
        made_of, seen, asked, offered = of_commit.result(), there.result(), databases.result(), offers.result()
    gets = {target: made_of.get(target.service or "") for target in targets}
    gets |= {target: one.image if isinstance(one, Offer) else one for target, one in offered.items()}
    wanted = {target: image.whole for target, image in gets.items() if isinstance(image, Image)}
    return World(
        made=made,
        images=gets,
        offers={target: one for target, one in offered.items() if isinstance(one, Offer)},
        seen=seen,
        known=earlier(seen, found),
        asked=asked,
        branches=waiting(seen, wanted),
    )


def _offers(work: Work, targets: Sequence[Target], found: Images) -> dict[Target, Offer | GanderError | None]:
    """What the environments before have for these; None for a service without migrations of its own."""
    others = replace(work, variables={name: value for name, value in work.variables.items() if name != "tag"})

    def one(target: Target) -> Offer | GanderError | None:
        if not own(work.catalog.services[target.service or ""]):
            return None
        try:
            return offer(work if target in work.targets else others, target, found)
        except GanderError as error:
            return error

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(targets, pool.map(one, targets), strict=True))


def _facts(work: Work, target: Target, world: World) -> Facts:
    service, environment = target.service or "", work.catalog.environments[target.environment]
    image, seen, offered = world.images[target], world.seen[target], world.offers.get(target)
    said = seen if isinstance(seen, GanderError) else seen.text
    facts = Facts(service=service, environment=environment, image=image, said=said, asked=world.asked[target])
    if not isinstance(image, Image):
        return facts
    if not offered:
        facts = replace(facts, left_out=world.made.left_out(service))
    if isinstance(seen, GanderError):
        return facts
    refusal = None
    if not offered or seen.text != image.whole:  # what is there already asks nobody
        try:  # an image that is not built yet is no reason here: building it comes first
            built = image if offered else image._replace(digest=image.digest or "none")
            refuse(gathered(work, seen.place, built, offered.qualified if offered else None))
        except GanderError as error:
            refusal = error
    known = world.known[target]
    return replace(
        facts,
        before=known.streams,
        unknown=known.unknown,
        refusal=refusal,
        qualified=offered.qualified.says if offered and offered.qualified.holds else "",
        waiting=world.branches.get(target, ""),
    )


def _linted(prospect: Prospect, findings: Findings) -> Prospect:
    """With what lint finds in the files that would run."""
    try:
        found = {
            key: {name: listed for name, listed in findings.of(prospect.service, key).items() if name in names}
            for key, names in (prospect.runs or {}).items()
        }
    except GanderError as error:
        return replace(prospect, problems=[*prospect.problems, f"what lint finds is not known: {error.what}"])
    return linted(prospect, found)
