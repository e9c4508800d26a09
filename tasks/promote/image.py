"""The image that a release is about, as far as a release needs to know it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from schemas.errors import GanderError

__all__ = ["Image", "Images", "Streams", "plain", "short"]

LONGEST = 300  # characters that are shown of what is no image of ours
OURS = re.compile(r".+:(?P<tag>m-[0-9a-f]+)(?:@sha256:[0-9a-f]+)?")

Streams = Mapping[str, Mapping[str, str]]  # database -> name of a migration file -> SHA-256 of its content, in order


class Image(NamedTuple):
    """The image that a commit's migrations make."""

    reference: str  # REPOSITORY:TAG
    digest: str | None  # as the registry has it; None: it lacks the image
    commit: str  # of the monorepo, in full
    streams: Streams

    @property
    def tag(self) -> str:
        """The tag alone."""
        return self.reference.rpartition(":")[2]

    @property
    def whole(self) -> str:
        """What a values file says: ``REPOSITORY:TAG@DIGEST``."""
        return f"{self.reference}@{self.digest}"


class Images(Protocol):
    """Where the images of one run are found; all of them are of one commit."""

    def of(self, services: Sequence[str]) -> Mapping[str, Image | GanderError | None]:
        """Each service's image, as its registry has it now, or why there is none; None for one without migrations."""

    def streams(self, service: str, commit: str) -> Streams | None:
        """What a service held at an earlier commit; None where that is not known here."""

    def held(self, wanted: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Streams]:
        """What services held at commits, as far as that is known here: (service, commit) -> its migrations."""


def short(image: str) -> str:
    """The tag of an image of ours, or the whole of what is none."""
    found = OURS.fullmatch(image)
    return found["tag"] if found else plain(image)


def plain(image: str) -> str:
    """What a values file says, as it may be shown: whoever pushes there could write codes for a terminal."""
    return "".join(one if one.isprintable() else "\ufffd" for one in image[:LONGEST])
