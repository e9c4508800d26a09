"""What the images of one run share: the commit, what it holds, the connections to registries, and the report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING

from schemas.errors import GanderError
from schemas.image import Content, Identity
from tasks.image import content as source
from tasks.image.proof import Proof
from tasks.work import Work
from tools import git
from tools.git import commit as recorder
from tools.oci.registry import Registries

if TYPE_CHECKING:
    from tasks.image.build import Builder
    from tasks.image.local import Local

__all__ = ["Making", "making"]


class Making:
    """The commit is looked up once, so that every image of a run is of the same one; safe to use from any thread."""

    def __init__(self, work: Work) -> None:
        self.catalog, self._tell = work.catalog, work.session.say
        self.registries = Registries()
        self.local = _local(self.builder) if work.variables.get("push") == "false" else None
        self._asked = work.variables.get("commit", "HEAD")
        self._json, self._out = work.variables.get("format") == "json", work.out
        self._say = work.progress.line
        self._lock = RLock()
        self._commit = ""
        self._contents: dict[str, Content | GanderError] = {}
        self._digests: dict[str, str | None] = {}
        self._left: dict[str, tuple[str, ...]] | None = None
        self._notes: dict[str, str] = {}
        self._proof: Proof | None = None

    @property
    def commit(self) -> str:
        """The commit's full hash. Raises Refused where it is not here."""
        with self._lock:
            if not self._commit:
                self._commit = source.commit_of(self._repository, self._asked)
            return self._commit

    @cached_property
    def _repository(self) -> git.Repository:
        return source.repository(self.catalog)

    @cached_property
    def builder(self) -> Builder:
        """Who builds the images."""
        from tasks.image.build import Builder  # noqa: PLC0415 - start-up: only an image that is not there is built

        return Builder(self._tell)

    @property
    def proof(self) -> Proof:
        """Who lints and tests the commit."""
        with self._lock:
            if self._proof is None:
                self._proof = Proof(self.catalog, self.commit)
            return self._proof

    def look_ahead(self, services: Sequence[str]) -> None:
        """Read what these services hold, with one git for all."""
        with self._lock:
            wanted = [one for one in services if one not in self._contents and self.owns(one)]
            if wanted:
                self._contents |= source.contents_at(self.catalog, wanted, self._repository, self.commit)

    def owns(self, service: str) -> bool:
        """Whether the service has a database of its own, today."""
        return bool(source.own(self.catalog.services[service]))

    def content(self, service: str) -> Content:
        """What the service's image holds. Raises as `tasks.image.identity`."""
        self.look_ahead([service])
        found = self._contents[service]
        if isinstance(found, GanderError):
            raise found
        return found

    def identity(self, service: str) -> Identity:
        """The image's name. Raises as `tasks.image.identity`."""
        return source.of_content(self.catalog, service, self.content(service))

    def seen(self, service: str) -> str | None:
        """The digest that the registry had under the name when it was asked or pushed to. Raises RegistryError."""
        if service not in self._digests:
            self._digests[service] = self.registries.digest(self.identity(service).reference)
        return self._digests[service]

    def left_out(self, service: str) -> tuple[str, ...]:
        """The migrations of the work tree that the commit does not have, or has otherwise; of HEAD alone."""
        if self._asked != "HEAD":
            return ()
        with self._lock:
            if self._left is None:
                self._left = self._compared()
            return self._left[service]

    def _compared(self) -> dict[str, tuple[str, ...]]:
        folders = {
            name: [one.migrations for one in source.own(service)] for name, service in self.catalog.services.items()
        }
        listed = [folder for those in folders.values() for folder in those]
        paths = sorted({*recorder.changes(self._repository, listed), *recorder.ignored(self._repository, listed)})
        return {
            name: tuple(path for path in paths if path.endswith(".sql") and path.rpartition("/")[0] in those)
            for name, those in folders.items()
        }

    def note(self, service: str, digest: str | None) -> None:
        """Have the service's image in the report, where one was asked for; in Docker it has an id, no digest."""
        if digest:
            self._notes[service] = digest
            if not self.local:
                self._digests[service] = digest

    def close(self) -> None:
        """Close the connections, take the copy of the commit away, and write the report: a line of JSON an image."""
        for report in self._proof.close() if self._proof else ():
            self._say(report)
        self.registries.close()
        if self.local:
            self.local.close()
        for service in self.catalog.services if self._json else ():
            if service in self._notes:
                name = self.identity(service)
                line = {"service": service, "repository": name.repository, "tag": name.tag}
                given = {"id" if self.local else "digest": self._notes[service]}
                self._out(json.dumps({**line, **given, "commit": self.commit}))


def _local(builder: Builder) -> Local:
    from tasks.image.local import Local  # noqa: PLC0415 - start-up: only push=false needs Docker

    return Local(builder)


def making(work: Work) -> Making:
    """What the run that a target belongs to shares; made by the first that asks."""
    return work.session.shared("image", lambda: Making(work))
