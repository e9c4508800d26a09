"""A release that went well, as a real Argo CD and Kubernetes told it, with other names, images and times."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta

from schemas.application import IMAGE, RUN
from tests.argocd_standin.server import Document, World, recorded

__all__ = ["BEGUN", "released", "stamp"]

BEGUN = datetime(2026, 11, 23, 4, 56, 45, tzinfo=UTC)


def stamp(at: datetime) -> str:
    """A time as Kubernetes writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def released(
    world: World,
    application: str,
    *,
    image: str,
    revision: str,
    logs: Mapping[str, str],
    run: str = "run-1",
    begun: datetime = BEGUN,
) -> None:
    """Have the world hold it: ``logs`` has the log of each Job, by the Job's name."""
    found = recorded("succeeded")
    found["metadata"]["name"] = application
    state = found["status"]["operationState"]
    state["operation"]["sync"]["revision"] = state["syncResult"]["revision"] = revision
    state["operation"]["info"] = [{"name": RUN, "value": run}, {"name": IMAGE, "value": image}]
    state["startedAt"], state["finishedAt"] = stamp(begun), stamp(begun + timedelta(seconds=4))
    found["status"]["reconciledAt"] = state["finishedAt"]
    rows = state["syncResult"]["resources"]
    hook = next(row for row in rows if row["kind"] == "Job")
    rows[rows.index(hook) : rows.index(hook) + 1] = [
        deepcopy(hook) | {"name": name, "images": [image]} for name in logs
    ]
    world.applications[application] = found
    for number, (name, log) in enumerate(logs.items()):
        uid = f"{run}-job-{number}"
        world.jobs[name] = job(name, uid, image, begun + timedelta(seconds=1))
        one = pod(f"{name}-x{run}", uid, image, begun + timedelta(seconds=1))
        world.pods[one["metadata"]["name"]] = one
        world.logs[one["metadata"]["name"]] = log


def job(name: str, uid: str, image: str, created: datetime) -> Document:
    """A Job that completed."""
    found = recorded("job")
    found["metadata"] |= {"name": name, "uid": uid, "creationTimestamp": stamp(created)}
    found["spec"]["template"]["spec"]["containers"][0]["image"] = image
    return found


def pod(name: str, owner: str, image: str, created: datetime) -> Document:
    """A pod that ran to its end; its node names the image by digest, as it does for one that it pulled."""
    found = recorded("pod")
    found["metadata"] |= {"name": name, "uid": f"{name}-uid", "creationTimestamp": stamp(created)}
    found["metadata"]["ownerReferences"][0]["uid"] = owner
    found["spec"]["containers"][0]["image"] = image
    status = found["status"]["containerStatuses"][0]
    status["image"], status["imageID"] = (
        image,
        f"{image.partition('@')[0].rpartition(':')[0]}@{image.partition('@')[2]}",
    )
    ended = stamp(created + timedelta(seconds=1))
    status["state"]["terminated"] |= {"startedAt": ended, "finishedAt": ended}
    return found
