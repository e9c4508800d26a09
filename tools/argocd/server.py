"""What a release asks of Argo CD: its Application, a full sync of one commit, and what lies behind it in the cluster.

Everything that is live comes through Argo CD's own API, so that one token is enough: the Job and its pods as they are
in the cluster now (`/resource` reads them there), and the pods' logs. Paths after Argo CD 3.2, server/application.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

from schemas.application import Application, application
from schemas.deployment import Deployment, deployments
from schemas.errors import ArgoError
from schemas.job import Job, Pod, job, pod, refused
from schemas.part import Part, Unreadable
from schemas.windows import Windows, windows
from tools.argocd.door import Door
from tools.argocd.login import Login

__all__ = ["Log", "Server"]

COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
TAIL = "20000"  # lines of a log
GONE = re.compile(r"not found", re.IGNORECASE)


Found = TypeVar("Found")


class Log(NamedTuple):
    """What a pod's container printed, as the cluster still has it; ``text`` is not masked."""

    pod: str
    container: str
    text: str
    cut: bool  # its beginning is not there


class Server:
    """One Argo CD. Every method raises ArgoError with the way out."""

    def __init__(self, login: Login, **more: Any) -> None:
        self.door = Door(login, **more)
        self.host = login.host

    def close(self) -> None:
        """Close the connections."""
        self.door.close()

    def application(self, name: str, *, compared: bool = False) -> Application:
        """The Application as Argo CD has it now; with ``compared`` only after another look at the cluster."""
        about = f"Application {name}"
        query = {"refresh": "normal"} if compared else {}
        return self._read(application, self.door.get(_path(name), about, query), about)

    def history(self, name: str) -> tuple[Deployment, ...]:
        """The deployments of the Application that Argo CD remembers: ten, where nobody has told it otherwise."""
        about = f"Application {name}"
        return self._read(deployments, self.door.get(_path(name), about), about)

    def sync(self, name: str, commit: str, info: dict[str, str]) -> None:
        """Ask for a full sync of exactly that commit; the hooks run. ``info`` is kept with the operation.

        Raises ArgoBusy where another operation or automated sync is in the way, ArgoUnsure where nobody knows whether
        it was taken.
        """
        if not COMMIT.fullmatch(commit):  # without one, Argo CD up to 3.5 may take the previous operation's
            raise ValueError(commit)
        body = {
            "revision": commit,
            "prune": False,
            "dryRun": False,
            "strategy": {"hook": {}},
            "infos": [{"name": key, "value": value} for key, value in info.items()],
        }
        self.door.act("POST", f"{_path(name)}/sync", f"Application {name}", body)

    def terminate(self, name: str) -> None:
        """Have the operation that runs ended, whoever's it is; what it began is deleted. Raises as `sync`."""
        self.door.act("DELETE", f"{_path(name)}/operation", f"Application {name}", {})  # it takes nothing but JSON

    def windows(self, name: str) -> Windows:
        """The Application's sync windows, and whether one keeps a sync by hand closed now."""
        about = f"the sync windows of {name}"
        return self._read(windows, self.door.get(f"{_path(name)}/syncwindows", about), about)

    def refused(self, name: str, of: Job) -> str:
        """Why no pod of a Job is made, by the events about it; empty where they do not say so."""
        about = f"the events of Job {of.name}"
        where = {"resourceNamespace": of.namespace, "resourceName": of.name, "resourceUID": of.uid}
        return self._read(refused, self.door.get(f"{_path(name)}/events", about, where), about)

    def job(self, name: str, namespace: str, called: str) -> Job | None:
        """A Job of the Application; None where there is none."""
        where = {"namespace": namespace, "resourceName": called, "group": "batch", "version": "v1", "kind": "Job"}
        return self._resource(name, where, job)

    def pods(self, name: str, namespace: str, owner: str) -> tuple[Pod, ...]:
        """The pods of the Job with that uid, oldest first; those that are gone in between are left out."""
        about = f"Application {name}"
        tree = self._read(_pods_of(owner), self.door.get(f"{_path(name)}/resource-tree", about), about)
        found = [
            self._resource(name, {"namespace": namespace, "resourceName": one, "version": "v1", "kind": "Pod"}, pod)
            for one in tree
        ]
        return tuple(sorted((one for one in found if one), key=lambda one: (one.created, one.name)))

    def log(self, name: str, namespace: str, of: str, container: str) -> Log:
        """What a container of a pod printed."""
        query = {"namespace": namespace, "podName": of, "container": container, "follow": "false", "tailLines": TAIL}
        about = f"the log of pod {of}"
        text = self.door.text(f"{_path(name)}/logs", about, query)
        lines = list(self._read(_lines, text, about))
        return Log(pod=of, container=container, text="\n".join(lines), cut=len(lines) >= int(TAIL))

    def _resource(self, name: str, where: dict[str, str], read: Callable[[Any], Found]) -> Found | None:
        about = f"{where['kind']} {where['resourceName']}"
        try:
            document = self.door.get(f"{_path(name)}/resource", about, where)
        except ArgoError as error:
            if GONE.search(error.why):
                return None
            raise
        return self._read(lambda found: read(json.loads(Part(found).needed("manifest"))), document, about)

    def _read(self, read: Callable[[Any], Found], document: Any, about: str) -> Found:
        try:
            return read(document)
        except (Unreadable, ValueError, RecursionError) as error:
            raise ArgoError(
                f"{self.host} answers about {about} what we do not understand",
                why=str(error)[:300],
                todo="run it again; if it stays so, its version is one that we do not know",
            ) from None


def _pods_of(owner: str) -> Callable[[Any], list[str]]:
    def names(document: Any) -> list[str]:
        return [
            node.needed("name")
            for node in Part(document).parts("nodes")
            if node.text("kind") == "Pod" and any(one.text("uid") == owner for one in node.parts("parentRefs"))
        ]

    return names


def _lines(text: str) -> list[str]:
    """The lines of a log as Argo CD streams them: a JSON object each, and an empty one at the end."""
    found = []
    for line in filter(None, text.split("\n")):
        part = Part(json.loads(line))
        if part.has("error"):
            raise Unreadable(part.part("error").text("message") or "the log broke off")
        result = part.part("result")
        if not result.flag("last"):
            found.append(result.text("content"))
    return found


def _path(name: str) -> str:
    return f"applications/{quote(name, safe='')}"
