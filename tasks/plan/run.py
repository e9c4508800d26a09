"""The operation `plan`: what a release of each service would change in each environment; nothing is written."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

from schemas.errors import GanderError, Refused
from schemas.target import Target
from tasks.plan.prospect import CHANGES, OPEN, Facts, Prospect, foresee
from tasks.plan.report import document, markdown, text
from tasks.promote.image import Image, Images
from tasks.promote.judgement import refuse
from tasks.promote.release import before, gathered
from tasks.promote.run import images
from tasks.promote.standing import Seen, look
from tasks.work import Outcome, Work

__all__ = ["plan", "run"]

AT_ONCE = 8


def run(work: Work) -> Outcome:
    """Print what would change; exit code 0 for nothing, 4 for changes, 1 where something cannot be told."""
    return plan(work, images(work))


def plan(work: Work, found: Images) -> Outcome:
    """As `run`, with the images that the run is about."""
    prospects = _foreseen(work, found)
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


def _foreseen(work: Work, found: Images) -> list[Prospect]:
    services = list(dict.fromkeys(target.service or "" for target in work.targets))
    made, seen = found.of(services), look(work.catalog, work.targets)

    def one(target: Target) -> Prospect:
        return foresee(_facts(work, target, made[target.service or ""], seen[target], found))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, work.targets))


def _facts(
    work: Work, target: Target, image: Image | GanderError | None, seen: Seen | GanderError, found: Images
) -> Facts:
    service, environment = target.service or "", work.catalog.environments[target.environment]
    if isinstance(seen, GanderError) or not isinstance(image, Image):
        said = seen if isinstance(seen, GanderError) else seen.text
        return Facts(service=service, environment=environment, image=image, said=said)
    refusal = None
    try:  # an image that is not built yet is no reason here: building it comes first
        refuse(gathered(work, seen.place, image._replace(digest=image.digest or "none")))
    except Refused as error:
        refusal = error
    held = before(seen.place, seen.tip, seen.text, found)
    return Facts(service=service, environment=environment, image=image, said=seen.text, before=held, refusal=refusal)
