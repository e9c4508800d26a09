"""The facts of releases: HEAD's images, what registries have of them, and what values files say on their branches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from schemas.catalog import Catalog
from schemas.errors import GanderError, RegistryError
from schemas.target import LOCAL, Target
from tasks.image.content import own
from tasks.image.making import Making, making
from tasks.place import owned
from tasks.promote.history import earlier
from tasks.promote.run import images
from tasks.promote.sites import sites
from tasks.promote.standing import look
from tasks.status.offered import offered, overridden
from tasks.status.release import Head, Release, stand
from tasks.status.rollouts import rollouts
from tasks.work import Work
from tools.oci.registry import Registries

__all__ = ["releases"]

AT_ONCE = 16  # images that registries are asked about together

Digest = str | GanderError | None


def releases(work: Work) -> dict[tuple[str, str], Release]:
    """How each release stands that a selected database belongs to, by service and environment.

    Only of environments for which services.yaml says where a release is written down. Nothing is written, and what
    cannot be known is in the release.
    """
    targets = _targets(work.catalog, work.targets)
    if not targets:
        return {}
    made, shared = making(work), sites(work)
    services = list(dict.fromkeys(target.service or "" for target in targets))
    with ThreadPoolExecutor(2) as pool:
        of_head = pool.submit(_heads, made, services)
        there = pool.submit(look, work.catalog, targets, shared.known)
        heads, seen = of_head.result(), there.result()
    known, became = earlier(seen, images(work)), rollouts(work, {target: seen[target] for target in targets})
    found = {}
    for target in targets:
        service, one = target.service or "", seen[target]
        said = one if isinstance(one, GanderError) else one.text
        stands = stand(service, target.environment, heads[service], said, known.get(target))
        if work.catalog.environments[target.environment].after:
            stands = stands._replace(override=overridden(work, target, one))
            if len(services) == 1:  # the environment before is looked at for it: five facts
                stands = stands._replace(offered=offered(work, target))
        rollout = became.get(target)
        if rollout and rollout.application and stands.there is None:
            rollout = rollout._replace(error=None)  # what its image holds is not known, which is said already
        found[service, target.environment] = stands._replace(rollout=rollout)
    return found


def _targets(catalog: Catalog, targets: Iterable[Target]) -> list[Target]:
    """A target for each release; a reference is deployed by its owner."""
    wanted: dict[Target, None] = {}
    for target in targets:
        if target.environment != LOCAL:
            environment, service = catalog.environments[target.environment], owned(catalog, target).service
            if environment.gitops and environment.values and own(catalog.services[service]):
                wanted[Target(step="promote", service=service, environment=target.environment)] = None
    return list(wanted)


def _heads(made: Making, services: Sequence[str]) -> dict[str, Head | GanderError]:
    heads: dict[str, Head | GanderError] = {}
    for service in services:
        try:
            if not heads:
                made.look_ahead(services)
            heads[service] = Head(made.identity(service).reference, None, made.content(service).hashes)
        except GanderError as error:
            heads[service] = error
    digests = _digests([one.reference for one in heads.values() if isinstance(one, Head)])
    return {
        service: one._replace(digest=digests[one.reference]) if isinstance(one, Head) else one
        for service, one in heads.items()
    }


class _Away(RegistryError):
    """A registry is busy, or does not answer: who only looks does not wait for it."""


def _digests(references: Sequence[str]) -> Mapping[str, Digest]:
    """What registries have under these names, each asked once; one that stays away is not asked again."""
    away: dict[str, GanderError] = {}

    def one(reference: str) -> Digest:
        host = reference.partition("/")[0]
        if host in away:
            return away[host]
        try:
            return registries.digest(reference)
        except _Away as error:
            cause = error.__context__
            away[host] = RegistryError(f"{host} does not answer" + (f": {cause}" if cause else ", or is busy"))
            return away[host]
        except GanderError as error:
            return error

    with Registries(pause=_hasty) as registries, ThreadPoolExecutor(AT_ONCE, "registry") as pool:
        return dict(zip(references, pool.map(one, references), strict=True))


def _hasty(_seconds: float) -> None:
    raise _Away("a registry is busy, or does not answer")
