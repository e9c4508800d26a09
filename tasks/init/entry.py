"""A database as it is found: the stream that builds it, or the one of another service that it refers to."""

from __future__ import annotations

from typing import NamedTuple

from tasks.init.engines import Verdict
from tasks.init.streams import Stream

__all__ = ["Entry"]


class Entry(NamedTuple):
    """A database with a ``stream``, or a reference with an ``owner``."""

    service: str
    folder: str  # the service's
    key: str
    verdict: Verdict
    stream: Stream | None = None
    owner: str = ""  # SERVICE/DATABASE
    why: str = ""  # it is taken for a reference

    @property
    def label(self) -> str:
        """``identity-service/auth``, as on the command line."""
        return f"{self.service}/{self.key}"
