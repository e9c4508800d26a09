"""A Job of Kubernetes and its pods, read strictly from their JSON (batch/v1 and v1 of Kubernetes 1.34)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.part import Part, Unreadable

__all__ = ["Container", "Job", "Pod", "job", "pod", "refused"]

STUCK = frozenset(
    (
        *("ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"),
        *("CreateContainerConfigError", "CreateContainerError", "RunContainerError", "CrashLoopBackOff"),
    )
)
"""Why a container waits that will not start by itself (kubelet, pkg/kubelet/images and kuberuntime)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container of a pod; what has not begun has no ``image_id``."""

    name: str
    image: str = ""  # as the pod asks for it
    image_id: str = ""  # what the node ran: …@sha256:DIGEST
    waiting: str = ""  # the reason
    said: str = ""  # its message
    started: datetime | None = None
    exit_code: int | None = None  # None: it has not ended
    restarts: int = 0

    @property
    def stuck(self) -> bool:
        """Whether it waits for what will not come."""
        return self.waiting in STUCK

    @property
    def digest(self) -> str:
        """The digest of what the node ran, by whatever name the node has it; empty where it has not said."""
        return self.image_id.rpartition("@")[2] if "sha256:" in self.image_id else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod of a Job."""

    name: str
    uid: str
    owner: str  # uid of the Job
    created: datetime
    phase: str
    node: str = ""
    reason: str = ""  # Evicted, …
    unscheduled: str = ""  # why no node takes it
    disrupted: str = ""  # why it was taken down from outside
    before: tuple[Container, ...] = ()  # those that are to end well before the others begin
    containers: tuple[Container, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A Job."""

    name: str
    namespace: str
    uid: str
    created: datetime
    deleted: bool  # it goes as soon as its finalizers let it
    complete: bool
    failed: str  # why; empty where it has not
    failures: int  # pods that failed
    active: int  # pods that wait or run
    images: tuple[str, ...]  # of its containers


def job(document: Any) -> Job:
    """Read a Job. Raises Unreadable where it is none."""
    root = Part(document)
    _is(root, "Job")
    about, status = root.part("metadata"), root.part("status")
    conditions = {one.needed("type"): one for one in status.parts("conditions") if one.text("status") == "True"}
    failed = conditions.get("Failed")
    return Job(
        name=about.needed("name"),
        namespace=about.text("namespace"),
        uid=about.needed("uid"),
        created=_needed(about, "creationTimestamp"),
        deleted=about.has("deletionTimestamp"),
        complete="Complete" in conditions,
        failed=(failed.text("message") or failed.text("reason") or "it failed") if failed else "",
        failures=status.number("failed"),
        active=status.number("active"),
        images=tuple(one.text("image") for one in root.part("spec", "template", "spec").parts("containers")),
    )


def pod(document: Any) -> Pod:
    """Read a pod. Raises Unreadable where it is none."""
    root = Part(document)
    _is(root, "Pod")
    about, spec, status = root.part("metadata"), root.part("spec"), root.part("status")
    owners = [one.text("uid") for one in about.parts("ownerReferences") if one.text("kind") == "Job"]
    conditions = list(status.parts("conditions"))
    return Pod(
        name=about.needed("name"),
        uid=about.needed("uid"),
        owner=owners[0] if owners else "",
        created=_needed(about, "creationTimestamp"),
        phase=status.text("phase"),
        node=spec.text("nodeName"),
        reason=status.text("reason"),
        unscheduled=_told(conditions, "PodScheduled", "False"),
        disrupted=_told(conditions, "DisruptionTarget", "True"),
        before=_containers(spec.parts("initContainers"), status.parts("initContainerStatuses")),
        containers=_containers(spec.parts("containers"), status.parts("containerStatuses")),
    )


def refused(document: Any) -> str:
    """Why the pods of a Job are not made, as the events about it tell: quota, admission; empty where none says so.

    The reason is that of the Job's controller (pkg/controller of Kubernetes 1.34). Raises Unreadable.
    """
    found = [one for one in Part(document).parts("items") if one.text("reason") == "FailedCreate"]
    return found[-1].text("message") or "FailedCreate" if found else ""


def _containers(specs: Iterator[Part], statuses: Iterator[Part]) -> tuple[Container, ...]:
    states = {one.needed("name"): one for one in statuses}
    return tuple(_container(one, states.get(one.needed("name"))) for one in specs)


def _container(spec: Part, status: Part | None) -> Container:
    name, image = spec.needed("name"), spec.text("image")
    if status is None:
        return Container(name=name, image=image)
    state = status.part("state")
    waiting, ended = state.part("waiting"), state.part("terminated")
    return Container(
        name=name,
        image=image,
        image_id=status.text("imageID"),
        waiting=waiting.text("reason"),
        said=waiting.text("message"),
        started=ended.moment("startedAt") or state.part("running").moment("startedAt"),
        exit_code=ended.number("exitCode") if state.has("terminated") else None,
        restarts=status.number("restartCount"),
    )


def _told(conditions: list[Part], kind: str, status: str) -> str:
    for one in conditions:
        if one.text("type") == kind and one.text("status") == status:
            return one.text("message") or one.text("reason")
    return ""


def _needed(part: Part, key: str) -> datetime:
    found = part.moment(key)
    if found is None:
        raise Unreadable(f"{part.path}.{key} is missing")
    return found


def _is(root: Part, kind: str) -> None:
    if root.text("kind") != kind:
        raise Unreadable(f"the document is of kind {root.text('kind') or 'none'}, and should be {kind}")
