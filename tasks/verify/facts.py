"""What is looked at to verify a release: five facts, each with its source and time, or why it is not known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Generic, TypeVar

from schemas.application import Application
from schemas.goose_log import GooseLog
from schemas.job import Job, Pod

__all__ = ["Expected", "Facts", "Held", "Look", "Part", "Printed", "Seen"]

Found = TypeVar("Found")
NOWHERE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Look(Generic[Found]):
    """What was seen of the world; or why it was not: ``value`` is None then."""

    value: Found | None = None
    why: str = ""
    todo: str = ""  # what to type so that it can be seen
    source: str = ""  # whom or what was asked
    at: datetime | None = None  # by the clock of this machine: for the reader, never compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A Job and its pods, oldest first."""

    job: Job
    pods: tuple[Pod, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """What goose printed in a pod, with the literals of SQL masked."""

    pod: str
    text: str
    cut: bool  # its beginning is not there any more
    log: GooseLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a database says of itself."""

    versions: frozenset[int]  # applied, on every server that holds a history
    against: tuple[str, ...] = ()  # what speaks against believing that: servers that differ or are silent
    unfinished: tuple[str, ...] = ()  # what the files began and the database has not finished
    remarks: tuple[str, ...] = ()  # what is to be known and speaks against nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a release is to have done to one database."""

    label: str  # auth-service/auth
    job: str
    files: Mapping[int, str]  # version -> name, all that the image holds
    known: frozenset[int] = frozenset()  # versions of files that the image lacks and git knows: of a newer release

    @property
    def head(self) -> int:
        """The newest version."""
        return max(self.files, default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the environment's values file and the image that it names say."""

    service: str
    environment: str
    application: str
    namespace: str
    image: str  # REPOSITORY:TAG@DIGEST, as the values file has it
    digests: frozenset[str]  # that a node may name this image by: the index and its manifests
    parts: tuple[Part, ...]

    @property
    def target(self) -> str:
        """``auth-service@dev``."""
        return f"{self.service}@{self.environment}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was seen. The Application has two of the five: its last operation, and the rows of the hooks in it."""

    application: Look[Application]
    said: Look[str]  # the image in the values file at the commit that the operation synced
    jobs: Mapping[str, Look[Seen]]  # by the Job's name
    logs: Mapping[str, Look[tuple[Printed, ...]]]  # by the Job's name: one a pod that printed
    databases: Mapping[str, Look[Held]]  # by label
