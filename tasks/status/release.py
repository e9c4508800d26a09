"""What an environment has of a service's migrations, beside what HEAD's image would bring: decided from facts alone."""

from __future__ import annotations

from typing import NamedTuple

from schemas.errors import GanderError
from schemas.stream import version_of
from tasks.promote.history import NOBODY, Earlier
from tasks.promote.image import Streams, plain
from tasks.status.rollout import Rollout

__all__ = ["Head", "Release", "stand"]


class Head(NamedTuple):
    """The image that HEAD makes of a service."""

    reference: str  # REPOSITORY:TAG
    digest: str | GanderError | None  # as the registry has it; None: it lacks the image
    streams: Streams


class Release(NamedTuple):
    """One service in one environment."""

    service: str
    environment: str
    image: str = ""  # what the values file says
    commit: str = ""  # that this image is of; empty where nobody knows
    there: Streams | None = None  # what it holds; None where nobody knows
    head: Streams | None = None  # what HEAD's image holds; None where there is none
    promoted: bool | None = None  # whether the values file says HEAD's image; None where nobody knows
    problems: tuple[str, ...] = ()  # what is not known, and why
    offered: str = ""  # whether what the environment before has may go there, and why not; empty: nobody looked
    override: str = ""  # why it has its image, which the environment before had not verified and still has not
    rollout: Rollout | None = None  # what has become of it; None where services.yaml has no `argocd:` for it

    @property
    def known(self) -> bool:
        """Whether all is known of it that status tells."""
        return not self.problems and not (self.rollout and self.rollout.error)

    def version(self, key: str) -> int | None:
        """The newest version of a database in the image that is there; None where there is none, or nobody knows."""
        return _newest(self.there, key)

    def newest(self, key: str) -> int | None:
        """The newest version of a database in HEAD's image; None where there is none."""
        return _newest(self.head, key)

    def pending(self, key: str) -> tuple[str, ...] | None:
        """The migrations of a database that HEAD's image would add; None where nobody knows."""
        if self.head is None or self.there is None:
            return None
        return tuple(name for name in self.head.get(key, {}) if name not in self.there.get(key, {}))


def stand(
    service: str, environment: str, head: Head | GanderError, said: str | GanderError, earlier: Earlier | None
) -> Release:
    """How the release stands: ``said`` is what the values file names, ``earlier`` what is known of that image."""
    problems = [_sentence(one) for one in (head, said) if isinstance(one, GanderError)]
    image = "" if isinstance(said, GanderError) else said
    of_head = None if isinstance(head, GanderError) else head
    same = of_head is not None and image.partition("@")[0] == of_head.reference
    there: Streams | None = None
    if not isinstance(said, GanderError):
        there = {} if not image else of_head.streams if same and of_head else earlier.streams if earlier else None
        if there is None:
            problems.append(f"what {plain(image)} holds is not known: {earlier.unknown if earlier else NOBODY}")
    promoted: bool | None = None
    if of_head and not isinstance(said, GanderError):
        promoted = same and (not isinstance(of_head.digest, str) or image == f"{of_head.reference}@{of_head.digest}")
        if of_head.digest is None and same:
            problems.append(f"the registry has no {of_head.reference} any more, which the values file names")
        elif isinstance(of_head.digest, GanderError) and same:
            promoted = None
            problems.append(f"whether the registry has {of_head.reference} is not known: {_sentence(of_head.digest)}")
    return Release(
        service=service,
        environment=environment,
        image=image,
        commit=earlier.commit if earlier else "",
        there=there,
        head=of_head.streams if of_head else None,
        promoted=promoted,
        problems=tuple(problems),
    )


def _newest(streams: Streams | None, key: str) -> int | None:
    versions = [version for name in (streams or {}).get(key, {}) if isinstance(version := version_of(name), int)]
    return max(versions, default=None)


def _sentence(error: GanderError) -> str:
    return f"{error.where}: {error.what}" if error.where else error.what
