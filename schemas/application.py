"""An Application of Argo CD, read strictly from its JSON.

The names of fields are those of pkg/apis/application/v1alpha1/types.go of Argo CD 3.2; fields that a release is not
judged by are passed over. An unknown phase is unreadable: nobody could say whether it means success.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast, get_args

from schemas.part import Part, Unreadable

__all__ = ["IMAGE", "RUN", "Application", "Phase", "Request", "Resource", "Row", "Source", "State", "application"]

Phase = Literal["Running", "Terminating", "Failed", "Error", "Succeeded"]
RUN = "gander-run"
IMAGE = "gander-image"
"""Names in the request's info: which run of ours asked for it, and for which image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody asked for: the application's `operation`, or its echo in the state."""

    by: str = ""  # who; empty where nobody is named
    automated: bool = False
    info: tuple[tuple[str, str], ...] = ()
    revisions: tuple[str, ...] = ()
    partial: bool = False  # some resources only, or by apply: hooks do not run then
    dry: bool = False

    def told(self, name: str) -> str:
        """What the request's info says under a name; empty without."""
        return next((value for key, value in self.info if key == name), "")

    @property
    def run(self) -> str:
        """The run of ours that asked for it; empty where it is somebody else's."""
        return self.told(RUN)

    @property
    def whose(self) -> str:
        """Who asked for it, for people."""
        return "automated sync" if self.automated else self.by or "somebody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What an operation did with one resource."""

    kind: str
    name: str
    namespace: str = ""
    hook: str = ""  # PreSync, …; empty for an ordinary resource
    phase: str = ""  # of a hook, as an operation's
    status: str = ""  # Synced, SyncFailed, …; empty for a hook
    message: str = ""
    images: tuple[str, ...] = ()  # since Argo CD 3.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where an Application is rendered from: a folder of a repository, and files of values beside it."""

    whole: str  # all that is said of it, in one form: equal where nothing differs
    path: str = ""  # from the repository's top
    chart: str = ""  # of a repository of charts, which has no commits
    values: tuple[str, ...] = ()  # relative to the path, or from the top where they begin with a slash


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The last operation, running or ended."""

    request: Request
    phase: Phase
    message: str
    started: datetime
    finished: datetime | None
    retries: int
    synced: bool  # whether there is a result at all
    revisions: tuple[str, ...]
    rows: tuple[Row, ...]
    source: Source | None = None  # what the operation rendered


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A resource that is not as the repository has it, or not well."""

    kind: str
    name: str
    status: str
    health: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An Application as it is now."""

    name: str
    uid: str
    version: str  # resourceVersion
    namespace: str  # where it deploys to
    automated: bool
    source: Source | None  # None: it has several, or none
    pending: Request | None  # requested or running: there until the operation has ended
    state: State | None
    sync: str  # Synced, OutOfSync, Unknown: about the head of its branch, not about the operation
    compared: tuple[str, ...]  # the revisions that `sync` is about
    health: str
    unwell: tuple[Resource, ...]
    conditions: tuple[str, ...]
    reconciled: datetime | None


def application(document: Any) -> Application:
    """Read one. Raises Unreadable where it is no Application as we know them."""
    root = Part(document)
    about, spec, status = root.part("metadata"), root.part("spec"), root.part("status")
    compared = status.part("sync")
    return Application(
        name=about.needed("name"),
        uid=about.needed("uid"),
        version=about.needed("resourceVersion"),
        namespace=spec.part("destination").text("namespace"),
        automated=_automated(spec.part("syncPolicy")),
        source=_source(spec),
        pending=_request(root.part("operation")) if root.has("operation") else None,
        state=_state(status.part("operationState")) if status.has("operationState") else None,
        sync=compared.text("status"),
        compared=_revisions(compared),
        health=status.part("health").text("status"),
        unwell=tuple(_unwell(status)),
        conditions=tuple(f"{one.text('type')}: {one.text('message')}" for one in status.parts("conditions")),
        reconciled=status.moment("reconciledAt"),
    )


def _automated(policy: Part) -> bool:
    """On wherever `automated` is there and not switched off (`enabled`, since Argo CD 3.1): ``{}`` is on."""
    return policy.has("automated") and policy.part("automated").flag("enabled", absent=True)


def _request(part: Part) -> Request:
    sync, by = part.part("sync"), part.part("initiatedBy")
    return Request(
        by=by.text("username"),
        automated=by.flag("automated"),
        info=tuple((one.text("name"), one.text("value")) for one in part.parts("info")),
        revisions=_revisions(sync),
        partial=bool(list(sync.parts("resources"))) or sync.part("syncStrategy").has("apply"),
        dry=sync.flag("dryRun"),
    )


def _state(part: Part) -> State:
    phase, started = part.needed("phase"), part.moment("startedAt")
    if phase not in get_args(Phase):
        raise Unreadable(f"{part.path}.phase is {phase!r}, which is none that we know")
    if started is None:
        raise Unreadable(f"{part.path}.startedAt is missing")
    result = part.part("syncResult")
    return State(
        request=_request(part.part("operation")),
        phase=cast("Phase", phase),
        message=part.text("message"),
        started=started,
        finished=part.moment("finishedAt"),
        retries=part.number("retryCount"),
        synced=part.has("syncResult"),
        revisions=_revisions(result),
        rows=tuple(map(_row, result.parts("resources"))),
        source=_source(result),
    )


def _source(part: Part) -> Source | None:
    if not part.has("source") or list(part.parts("sources")):
        return None
    one = part.part("source")
    return Source(
        whole=json.dumps(one.value, sort_keys=True),
        path=one.text("path"),
        chart=one.text("chart"),
        values=one.part("helm").texts("valueFiles"),
    )


def _row(part: Part) -> Row:
    return Row(
        kind=part.needed("kind"),
        name=part.needed("name"),
        namespace=part.text("namespace"),
        hook=part.text("hookType"),
        phase=part.text("hookPhase"),
        status=part.text("status"),
        message=part.text("message"),
        images=part.texts("images"),
    )


def _revisions(part: Part) -> tuple[str, ...]:
    """One, or several of an Application with several sources."""
    one = part.text("revision")
    return part.texts("revisions") or ((one,) if one else ())


def _unwell(status: Part) -> list[Resource]:
    found = [
        Resource(
            kind=one.needed("kind"),
            name=one.needed("name"),
            status=one.text("status"),
            health=one.part("health").text("status"),
        )
        for one in status.parts("resources")
        if not one.flag("hook")
    ]
    return [one for one in found if one.status not in {"", "Synced"} or one.health not in {"", "Healthy"}]
