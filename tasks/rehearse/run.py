"""The operation `rehearse`: an environment's migration Jobs, run by Docker on databases that stand where its own do."""

from __future__ import annotations

from typing import NamedTuple

from schemas.catalog import Catalog, Database
from schemas.errors import GanderError, Refused
from schemas.manifest import Manifest
from schemas.target import Target
from tasks import place as places
from tasks.image.local import Local
from tasks.image.making import Making, making
from tasks.lint.manifests import text
from tasks.prisma.schema import variable
from tasks.promote.site import site
from tasks.rehearse.chart import copy, jobs, rendered
from tasks.rehearse.deployed import deployed
from tasks.rehearse.judgement import Verdict
from tasks.rehearse.report import Came, Release, lines
from tasks.rehearse.secret import documented, made
from tasks.rehearse.trial import Stage, trial
from tasks.scratch import Streams
from tasks.work import Outcome, Work
from tools import docker

__all__ = ["run"]


def run(work: Work) -> Outcome:
    """Rehearse each release and print what came of it; exit code 1 where a Job would not do its work.

    Raises Refused where no Docker daemon can be used.
    """
    daemon = docker.usable()
    if isinstance(daemon, Refused):
        raise daemon
    daemon.close()
    if not daemon.here:
        raise Refused(
            f"the Docker at {daemon.where} is on another machine",
            why="a rehearsal's container works on a scratch database of this machine, by its socket or loopback",
            todo="unset DOCKER_HOST, or docker context use default",
        )
    local = Local(making(work).builder)
    try:
        failed = sum(_told(work, _tried(work, target, local)) for target in work.targets)
    finally:
        local.close()
    if failed:
        return Outcome(summary=f"{failed} of {len(work.targets)} would fail", exit_code=1)
    return Outcome(summary=f"{len(work.targets)} rehearsed")


def _told(work: Work, release: Release) -> bool:
    """Print what came of a release; whether it would fail."""
    for line in lines(release):
        work.out(line)
    return release.failing


def _tried(work: Work, target: Target, local: Local) -> Release:
    try:
        return _release(work, target, local)
    except GanderError as error:
        return Release(target=target, came=[Came(verdict=Verdict(findings=[str(error)]))])


def _release(work: Work, target: Target, local: Local) -> Release:
    """What came of each Job of one service in one environment."""
    service, images = target.service or "", making(work)
    if not images.owns(service):
        return Release(target=target)
    place = site(work.catalog, target)
    tip = place.tip()
    before = deployed(work, place, tip)
    image = _loaded(work, images, service, local)
    with copy(work, place, tip, images.commit) as here:
        if service not in here.catalog.services or target.environment not in here.catalog.environments:
            raise Refused(
                f"services.yaml of {here.commit[:12]} has no environment `{target.environment}`, or no {service}",
                todo=f"commit {work.catalog.file.name}, then run it again",
            )
        there = here.catalog.services[service]
        objects = rendered(here, place, tip, image.whole, work.progress.now)
        found, problems = jobs(there, place.environment, objects)
        stage = Stage(
            daemon=local.daemon,
            environment=target.environment,
            catalog=here.catalog,
            content=images.content(service),
            image=image.whole,
            loaded=image.id,
            user=image.user,
            keys=documented(there, place.environment, _prisma(here.catalog, service)),
            made=made(objects),
        )
        came = [Came(verdict=Verdict(findings=problems))] if problems else []
        for database in there.databases:
            if isinstance(database, Database) and database.label in found:
                streams = [(database, before.get(database.key, ())), *_beside(work, here.catalog, database, target)]
                manifest = found[database.label]
                verdict = _verdict(work, stage, database, manifest, streams)
                came.append(Came(job=database.job, where=str(manifest.at("metadata", "name")), verdict=verdict))
    return Release(
        target=target,
        image=f"{images.identity(service).tag} of {images.commit[:12]}",
        came=came,
        notes=[f"not in {images.commit[:12]}, so not rehearsed: {path}" for path in images.left_out(service)],
    )


def _verdict(work: Work, stage: Stage, database: Database, manifest: Manifest, streams: Streams) -> Verdict:
    if database.key not in stage.content.streams:
        return Verdict(findings=[f"the image has no migrations of {database.label}"])
    try:
        return trial(work, stage, database, manifest, streams)
    except GanderError as error:
        return Verdict(findings=[str(error)])


def _beside(work: Work, catalog: Catalog, database: Database, target: Target) -> Streams:
    """Other streams that build the same physical database there, with what is deployed of them."""
    found = []
    for one in places.sharing(catalog, database, target.environment)[1:]:
        there = site(work.catalog, target._replace(service=one.service))
        found.append((one, deployed(work, there, there.tip()).get(one.key, ())))
    return found


def _prisma(catalog: Catalog, service: str) -> dict[str, str | None]:
    """The variable that each schema.prisma of a service takes its URL from, by label."""
    entries = catalog.services[service].databases
    return {one.label: variable(text(catalog.root / one.prisma)) for one in entries if one.prisma}


class _Image(NamedTuple):
    """The image of a release, in Docker."""

    id: str
    whole: str  # what a values file would say of it
    user: str


def _loaded(work: Work, images: Making, service: str, local: Local) -> _Image:
    """The image, loaded where Docker has it not; the name by its digest is the registry's, which need not have it."""
    name, content, platforms = (
        images.identity(service),
        images.content(service),
        work.catalog.services[service].platforms,
    )
    digest = images.builder.build(content, platforms).index.digest
    there = local.id(name, content, platforms) or local.load(name, content, platforms)
    held = local.daemon.held(there)
    user = str(held.settings.get("User", "")) if held else ""
    return _Image(id=there, whole=f"{name.reference}@{digest}", user=user)
