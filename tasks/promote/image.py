"""The image that a release is about, as far as a release needs to know it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from schemas.catalog import Catalog
from schemas.errors import GanderError

__all__ = ["Image", "Look"]


class Image(NamedTuple):
    """The image that a commit's migrations make."""

    reference: str  # REPOSITORY:TAG
    digest: str | None  # as the registry has it; None: it lacks the image
    streams: Mapping[str, Sequence[str]]  # database -> names of its files, in order

    @property
    def tag(self) -> str:
        """The tag alone."""
        return self.reference.rpartition(":")[2]

    @property
    def whole(self) -> str:
        """What a values file says: ``REPOSITORY:TAG@DIGEST``."""
        return f"{self.reference}@{self.digest}"


Look = Callable[[Catalog, Sequence[str], str], Mapping[str, Image | GanderError]]
"""Finds the images of services at a commit, or says why there is none."""
