"""The facts of rollouts: each release is looked at as `verify` does, and judged by the same rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from schemas.application import Application
from schemas.errors import GanderError
from schemas.target import Target
from tasks.promote.standing import Seen
from tasks.status.rollout import Rollout
from tasks.verify.gather import gather
from tasks.verify.judgement import judge
from tasks.verify.release import written
from tasks.verify.required import required
from tasks.verify.run import servers
from tasks.work import Work
from tools.argocd import Server

__all__ = ["rollouts"]

AT_ONCE = 16  # releases that are looked at together


def rollouts(work: Work, seen: Mapping[Target, Seen | GanderError]) -> dict[Target, Rollout]:
    """What has become of each release that has an Application, from what its branch was seen to say.

    Nothing is written, and what cannot be known is in the rollout.
    """
    targets = [target for target in seen if work.catalog.environments[target.environment].argocd]
    return dict(zip(targets, _each(work, seen, targets), strict=True))


def _each(work: Work, seen: Mapping[Target, Seen | GanderError], targets: Sequence[Target]) -> list[Rollout]:
    shared = servers(work)

    def one(target: Target) -> Rollout:
        try:
            return _rollout(work, target, seen[target], shared.of(work, target))
        except GanderError as error:
            return Rollout(error=error)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, targets))


def _rollout(work: Work, target: Target, seen: Seen | GanderError, server: Server) -> Rollout:
    """One release; of one that is not written down, what its Application says alone."""
    if isinstance(seen, GanderError) or not seen.text:
        return Rollout(application=_application(work, target, server))  # that it is not known is said of the branch
    try:
        release = written(work, seen.place, seen.tip)
    except GanderError as error:
        return Rollout(application=_application(work, target, server), error=error)
    gathered = gather(work, target, release, server)
    look = gathered.facts.application
    if look.value is None:
        return Rollout(error=GanderError(look.why, todo=look.todo))
    return Rollout(application=look.value, verdict=judge(*gathered, required(release.place.environment)))


def _application(work: Work, target: Target, server: Server) -> Application:
    named = work.catalog.environments[target.environment].argocd
    assert named is not None  # noqa: S101 - only such targets are looked at
    return server.application(named.application.format(service=target.service))
