"""What Kubernetes would run for a migration Job, as far as one container here can be the same.

Fields: Kubernetes 1.34, batch/v1 JobSpec, core/v1 PodSpec and Container.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.errors import Refused
from schemas.manifest import Manifest
from tasks.lint.release import listed

__all__ = ["Job", "Key", "filled", "read", "words"]

EXPANDED = re.compile(r"\$(?:\$|\((?P<name>[-._A-Za-z0-9]+)\))")  # $(NAME); $$ is a dollar sign


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """Where a variable's value is taken from: a key of a Secret or a ConfigMap."""

    kind: str
    name: str
    key: str
    optional: bool = False

    def __str__(self) -> str:
        return f"key {self.key} of the {self.kind} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A migration Job's only container, and what the Job says of it."""

    name: str
    where: str  # file:line:column of the Job
    image: str
    command: tuple[str, ...] = ()  # empty: the image's own
    args: tuple[str, ...] = ()  # the same
    variables: Mapping[str, str | Key]
    user: str = ""  # UID or UID:GID; empty: the image's own
    no_root: bool = False  # Kubernetes starts no container of root
    read_only: bool = False
    no_more_rights: bool = False  # allowPrivilegeEscalation: false
    drop: tuple[str, ...] = ()  # capabilities
    folder: str = ""  # working directory; empty: the image's own
    writable: tuple[str, ...] = ()  # where an emptyDir is mounted
    deadline: int | None = None  # seconds after which Kubernetes ends the Job; None: never


def read(manifest: Manifest) -> Job:
    """The Job of a manifest. Raises Refused, with the place in the chart, for what no container here could repeat."""
    _refuse_unlike(manifest)
    pod = ("spec", "template", "spec")
    path = (*pod, "containers", 0)
    volumes = _volumes(manifest, pod)
    mounts = [one for one in listed(manifest.get(*path, "volumeMounts")) if isinstance(one, dict)]
    writable = tuple(str(one.get("mountPath")) for one in mounts if str(one.get("name")) in volumes)

    def secured(key: str) -> Any:
        own = manifest.get(*path, "securityContext", key)
        return manifest.get(*pod, "securityContext", key) if own is None else own

    user, group = secured("runAsUser"), secured("runAsGroup")
    return Job(
        name=manifest.name,
        where=str(manifest.at("metadata", "name")),
        image=str(manifest.get(*path, "image") or ""),
        command=tuple(map(str, listed(manifest.get(*path, "command")))),
        args=tuple(map(str, listed(manifest.get(*path, "args")))),
        variables=dict(_variable(manifest, path, number) for number in range(len(_env(manifest, path)))),
        user="" if user is None else f"{user}" if group is None else f"{user}:{group}",
        no_root=secured("runAsNonRoot") is True,
        read_only=manifest.get(*path, "securityContext", "readOnlyRootFilesystem") is True,
        no_more_rights=manifest.get(*path, "securityContext", "allowPrivilegeEscalation") is False,
        drop=tuple(map(str, listed(manifest.get(*path, "securityContext", "capabilities", "drop")))),
        folder=str(manifest.get(*path, "workingDir") or ""),
        writable=writable,
        deadline=_number(manifest, "spec", "activeDeadlineSeconds"),
    )


def filled(text: str, values: Mapping[str, str]) -> str:
    """A text with each ``$(NAME)`` filled in, as Kubernetes does it; a name that has no value stays."""
    return EXPANDED.sub(lambda found: values.get(found["name"], found[0]) if found["name"] else "$", text)


def words(job: Job, texts: Sequence[str], values: Mapping[str, str]) -> tuple[str, ...]:
    """The words of a command line as the container gets them; ``values`` are the variables whose texts are known.

    Raises Refused where that would put a Secret into it, or where it leads to a server by itself.
    """
    for name in (found["name"] for text in texts for found in EXPANDED.finditer(text)):
        if name and name not in values and isinstance(job.variables.get(name), Key):
            raise Refused(
                f"{job.name}: $({name}) is put into a command line, where everybody who lists processes reads it",
                where=job.where,
                todo="leave it out: goose reads GOOSE_DBSTRING from its environment (./run doit rules AR10)",
            )
    found = tuple(filled(text, values) for text in texts)
    if any("://" in word for word in found):
        raise Refused(
            f"{job.name}: its command line names a server, and a rehearsal must reach no other than its own",
            where=job.where,
            todo="leave it out: goose reads GOOSE_DBSTRING from its environment (./run doit rules AR10)",
        )
    return found


def _refuse_unlike(manifest: Manifest) -> None:
    """What makes a Job something else than one container that runs once."""
    pod = ("spec", "template", "spec")
    containers = listed(manifest.get(*pod, "containers"))
    unlike = [
        (manifest.get("spec", "suspend") is True, ("spec", "suspend"), "it is suspended, so its pod never starts"),
        (bool(listed(manifest.get(*pod, "initContainers"))), (*pod, "initContainers"), "it has initContainers"),
        (len(containers) != 1, (*pod, "containers"), f"its pod has {len(containers)} containers, not one"),
        (_several(manifest), ("spec", "completions"), "it makes several pods, so goose runs several times at once"),
        (bool(listed(manifest.get(*pod, "containers", 0, "envFrom"))), (*pod, "containers", 0, "envFrom"), ENV_FROM),
    ]
    for is_so, path, why in unlike:
        if is_so:
            raise _refused(manifest, path, why)


ENV_FROM = "envFrom gives it all that a Secret or ConfigMap holds, and what that is nobody knows here"


def _several(manifest: Manifest) -> bool:
    return any((manifest.get("spec", key) or 1) != 1 for key in ("completions", "parallelism"))


def _env(manifest: Manifest, path: tuple[str | int, ...]) -> list[Any]:
    return listed(manifest.get(*path, "env"))


def _variable(manifest: Manifest, path: tuple[str | int, ...], number: int) -> tuple[str, str | Key]:
    one = _env(manifest, path)[number]
    name = str(one.get("name")) if isinstance(one, dict) else ""
    source = one.get("valueFrom") if isinstance(one, dict) else None
    if source is None:
        value = one.get("value") if isinstance(one, dict) else None
        return name, "" if value is None else str(value)
    for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
        found = source.get(field) if isinstance(source, dict) else None
        if isinstance(found, dict):
            optional = found.get("optional") is True
            return name, Key(kind=kind, name=str(found.get("name")), key=str(found.get("key")), optional=optional)
    raise _refused(manifest, (*path, "env", number, "valueFrom"), f"{name} is taken from the pod, and there is none")


def _volumes(manifest: Manifest, pod: tuple[str | int, ...]) -> frozenset[str]:
    """The names of its volumes, all of them empty folders at first."""
    found = []
    for number, one in enumerate(listed(manifest.get(*pod, "volumes"))):
        if not isinstance(one, dict) or "emptyDir" not in one:
            name = one.get("name") if isinstance(one, dict) else one
            raise _refused(manifest, (*pod, "volumes", number), f"what the volume {name} holds is not known here")
        found.append(str(one.get("name")))
    return frozenset(found)


def _number(manifest: Manifest, *path: str | int) -> int | None:
    found = manifest.get(*path)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _refused(manifest: Manifest, path: tuple[str | int, ...], why: str) -> Refused:
    return Refused(f"the Job {manifest.name} cannot be rehearsed", where=str(manifest.at(*path)), why=why)
