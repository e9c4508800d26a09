"""How a run calls `promote`: with the images of the commit that it is about."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from schemas.answer import Answer
from schemas.errors import GanderError
from tasks.image import content
from tasks.image.making import Making, making
from tasks.promote.image import Image, Images, Streams
from tasks.promote.release import promote
from tasks.promote.standing import standing
from tasks.work import Outcome, Work

__all__ = ["images", "run", "up_to_date"]

AT_ONCE = 16  # images that registries are asked about together


def run(work: Work) -> Outcome:
    """Write the image of HEAD, or of ``commit=``, down for an environment; or what the one before has verified.

    Raises as `promote` of both kinds.
    """
    if work.catalog.environments[work.target.environment].after:
        from tasks.promote import guarded  # noqa: PLC0415 - start-up: only such an environment is verified for

        return guarded.promote(work, images(work))
    return promote(work, images(work))


def up_to_date(works: Sequence[Work]) -> dict[str, Answer]:
    """Whether each environment's branch says that image; registries and remotes are asked, nothing is written.

    What `image` has just asked a registry is not asked again.
    """
    return standing(works, _Images(making(works[0]), seen=True))


def images(work: Work) -> Images:
    """The images that the run of this target is about."""
    return _Images(making(work))


class _Images:
    def __init__(self, made: Making, *, seen: bool = False) -> None:
        self.made, self.seen = made, seen

    def of(self, services: Sequence[str]) -> Mapping[str, Image | GanderError | None]:
        self.made.look_ahead(services)
        with ThreadPoolExecutor(AT_ONCE, "registry") as pool:
            return dict(zip(services, pool.map(self._one, services), strict=True))

    def streams(self, service: str, commit: str) -> Streams | None:
        try:
            return content.content(self.made.catalog, service, commit).hashes
        except GanderError:  # of another history, or from before the service was there
            return None

    def held(self, wanted: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Streams]:
        commits: dict[str, list[str]] = {}
        for service, commit in sorted(wanted):
            commits.setdefault(commit, []).append(service)
        with ThreadPoolExecutor(AT_ONCE, "git") as pool:
            return {key: streams for some in pool.map(self._held, commits, commits.values()) for key, streams in some}

    def _held(self, commit: str, services: Sequence[str]) -> list[tuple[tuple[str, str], Streams]]:
        try:
            found = content.contents(self.made.catalog, services, commit)
        except GanderError:  # of another history
            return []
        return [((name, commit), one.hashes) for name, one in found.items() if not isinstance(one, GanderError)]

    def _one(self, service: str) -> Image | GanderError | None:
        made = self.made
        if not made.owns(service):
            return None
        try:
            reference = made.identity(service).reference
            digest = made.seen(service) if self.seen else made.registries.digest(reference)
            return Image(reference, digest, made.commit, made.content(service).hashes)
        except GanderError as error:
            return error
