"""The operation `plan`: what a release of each service would change in each environment; nothing is written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple

from schemas.catalog import Catalog, Reference
from schemas.errors import GanderError
from schemas.target import Target
from tasks.image.making import Making, making
from tasks.plan.databases import ask
from tasks.plan.findings import Findings
from tasks.plan.held import Asked
from tasks.plan.prospect import CHANGES, OPEN, Facts, Prospect, foresee, linted, reading
from tasks.plan.report import document, markdown, text
from tasks.promote.history import Earlier, earlier
from tasks.promote.image import Image, Images
from tasks.promote.judgement import refuse
from tasks.promote.release import gathered
from tasks.promote.request import waiting
from tasks.promote.run import images
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
    images: Mapping[str, Image | GanderError | None]  # of the commit, by service
    seen: Mapping[Target, Seen | GanderError]
    known: Mapping[Target, Earlier]
    asked: Mapping[Target, Mapping[str, Asked]]
    branches: Mapping[Target, str]


def _foreseen(work: Work, found: Images, made: Making) -> list[Prospect]:
    owners = {target: _owners(work.catalog, target) for target in work.targets}
    targets = list(dict.fromkeys([*work.targets, *(one for listed in owners.values() for _, one in listed)]))
    world = _world(work.catalog, targets, found, made)
    findings = Findings(work, made)

    def one(target: Target) -> Prospect:
        reads = {entry.owner: prospects[owner] for entry, owner in owners[target]}
        return _linted(reading(prospects[target], reads), findings)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        foreseen = pool.map(lambda target: foresee(_facts(work, target, world)), targets)
        prospects = dict(zip(targets, foreseen, strict=True))
        return list(pool.map(one, work.targets))


def _owners(catalog: Catalog, target: Target) -> list[tuple[Reference, Target]]:
    """The references of a release, each with the release that its owner deploys."""
    entries = catalog.services[target.service or ""].databases
    return [(one, target._replace(service=catalog.owner(one).service)) for one in entries if isinstance(one, Reference)]


def _world(catalog: Catalog, targets: Sequence[Target], found: Images, made: Making) -> World:
    """Everybody is asked at the same time."""
    services = list(dict.fromkeys(target.service or "" for target in targets))
    with ThreadPoolExecutor(3) as pool:
        of_commit = pool.submit(found.of, services)
        there = pool.submit(look, catalog, targets)
        databases = pool.submit(ask, catalog, targets, made)
        made_of, seen, asked = of_commit.result(), there.result(), databases.result()
    wanted = {target: image.whole for target in targets if isinstance(image := made_of[target.service or ""], Image)}
    return World(
        made=made,
        images=made_of,
        seen=seen,
        known=earlier(seen, found),
        asked=asked,
        branches=waiting(seen, wanted),
    )


def _facts(work: Work, target: Target, world: World) -> Facts:
    service, environment = target.service or "", work.catalog.environments[target.environment]
    image, seen = world.images[service], world.seen[target]
    said = seen if isinstance(seen, GanderError) else seen.text
    facts = Facts(service=service, environment=environment, image=image, said=said, asked=world.asked[target])
    if not isinstance(image, Image):
        return facts
    facts = replace(facts, left_out=world.made.left_out(service))
    if isinstance(seen, GanderError):
        return facts
    refusal = None
    try:  # an image that is not built yet is no reason here: building it comes first
        refuse(gathered(work, seen.place, image._replace(digest=image.digest or "none")))
    except GanderError as error:
        refusal = error
    known = world.known[target]
    return replace(
        facts,
        before=known.streams,
        unknown=known.unknown,
        refusal=refusal,
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
