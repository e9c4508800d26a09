"""What a controller does with a request, one act at each look at the Application; what it writes is recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from datetime import timedelta
from functools import partial

from schemas.application import IMAGE, RUN
from tests.argocd_standin.release import BEGUN, job, pod, released, stamp
from tests.argocd_standin.server import Document, World, recorded

__all__ = ["Act", "acting", "fails", "fails_elsewhere", "picks_up", "prints", "waits", "well"]

Act = Callable[[World, str], None]


def acting(world: World, acts: Iterable[Act]) -> None:
    """Have one act done at each look while an operation is there; the last one again and again."""
    left = list(acts)

    def act(world: World, name: str) -> None:
        if "operation" in world.applications[name] and left:
            one = left.pop(0) if len(left) > 1 else left[0]
            one(world, name)

    world.look = act


def picks_up(world: World, name: str) -> None:
    """The operation has a state."""
    state = recorded("picked_up")["status"]["operationState"]
    state["operation"], state["startedAt"] = deepcopy(world.applications[name]["operation"]), stamp(BEGUN)
    world.applications[name]["status"]["operationState"] = state


def _hook(world: World, name: str, called: str) -> Document:
    """The Job is there and its pod begins; its container's state is to be filled in."""
    picks_up(world, name)
    told, operation = recorded("running")["status"]["operationState"], world.applications[name]["operation"]
    state = world.state(name)
    state["message"] = f"waiting for completion of hook batch/Job/{called}"
    state["syncResult"] = told["syncResult"] | {"revision": operation["sync"]["revision"]}
    image = info(operation, IMAGE)
    hook = next(row for row in state["syncResult"]["resources"] if row["kind"] == "Job")
    hook |= {"name": called, "images": [image]}
    made = job(called, "uid-of-this", image, BEGUN + timedelta(seconds=1))
    made["status"] = {"active": 1}
    world.jobs[called] = made
    begun = pod(f"{called}-pod", "uid-of-this", image, BEGUN + timedelta(seconds=1))
    begun["status"] |= {"phase": "Pending"}
    world.pods = {begun["metadata"]["name"]: begun}
    status: Document = begun["status"]["containerStatuses"][0]
    return status


def prints(log: str, called: str = "shop-migrate") -> Act:
    """The migration runs, and has printed that much."""

    def act(world: World, name: str) -> None:
        status = _hook(world, name, called)
        status["state"] = {"running": {"startedAt": stamp(BEGUN + timedelta(seconds=2))}}
        world.pods[f"{called}-pod"]["status"]["phase"] = "Running"
        world.logs[f"{called}-pod"] = log

    return act


def waits(reason: str, called: str = "shop-migrate", **more: int) -> Act:
    """The pod does not start, for that reason of its container."""

    def act(world: World, name: str) -> None:
        status = _hook(world, name, called)
        status |= {"state": {"waiting": {"reason": reason, "message": f"it is {reason}"}}, "imageID": "", **more}

    return act


def ends(world: World, name: str, *, logs: dict[str, str], overtaken: str = "") -> None:
    """The release goes well."""
    operation = world.applications[name].pop("operation")
    world.pods, world.jobs, spec = {}, {}, world.applications[name]["spec"]
    image, run = info(operation, IMAGE), info(operation, RUN)
    revision = operation["sync"]["revision"]
    released(world, name, image=image, revision=revision, logs=logs, run=overtaken or run)
    world.applications[name]["spec"] = spec


def fails(recording: str, log: str = "") -> Act:
    """The operation fails as a real one did; with a log where its hook ran."""

    def act(world: World, name: str) -> None:
        operation = world.applications[name].pop("operation")
        image = info(operation, IMAGE)
        state = recorded(recording)["status"]["operationState"]
        state["operation"], state["startedAt"] = operation, stamp(BEGUN)
        for row in state.get("syncResult", {}).get("resources", []):
            if row["kind"] == "Job":
                row.update(name="shop-migrate", images=[image])
        if "syncResult" in state:
            state["syncResult"]["revision"] = operation["sync"]["revision"]
        world.applications[name]["status"]["operationState"] = state
        if log:
            made = job("shop-migrate", "uid-of-this", image, BEGUN + timedelta(seconds=1))
            made["status"] = {"failed": 1, "conditions": [{"type": "Failed", "status": "True", "message": "failed"}]}
            world.jobs["shop-migrate"] = made
            world.logs["shop-migrate-pod"] = log

    return act


def fails_elsewhere(logs: dict[str, str]) -> Act:
    """Its hook goes well, and a resource after it is refused."""

    def act(world: World, name: str) -> None:
        ends(world, name, logs=logs)
        state = world.state(name)
        state["phase"], state["message"] = "Failed", "one or more objects failed to apply"
        state["syncResult"]["resources"].append(
            {"kind": "Deployment", "name": "shop", "version": "v1", "status": "SyncFailed", "message": "is invalid"}
        )

    return act


def info(operation: Document, name: str) -> str:
    """What a request's info says under a name; empty without."""
    return str(next((one["value"] for one in operation.get("info") or [] if one["name"] == name), ""))


def well(logs: dict[str, str]) -> Act:
    """As `ends`, to be put into a script."""
    return partial(ends, logs=logs)
