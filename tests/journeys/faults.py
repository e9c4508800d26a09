"""How an Argo CD and the cluster behind it misbehave, and what `sync` and `verify` are to make of each."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace

from tests.argocd_standin.controller import Act, acting, picks_up, well
from tests.argocd_standin.server import Fault, World, recorded
from tests.journeys import wrong
from tests.journeys.wrong import LOG, Place, rows

__all__ = ["FAULTS", "Misdeed"]

Change = Callable[[Place], None]
AGAIN = "doit verify:{}@dev"
SYNC = "doit sync:{}@dev"
LOOK = "look at the databases: doit status:{}@dev"
CONTROLLER = "look whether argocd-application-controller runs"
RENEW = "renew it: export SHOP_TOKEN=TOKEN"
CORRECT = "correct `argocd: {{application: …}}` in services.yaml, or let the token do"


@dataclass(kw_only=True)
class Misdeed:
    """One of them. ``verdict`` and ``todo`` are what `verify` says; `sync` ends well where ``says`` is empty."""

    asked: Fault | None = None  # how the request for a sync is answered
    told: Fault | None = None  # and how the question of verify
    during: Change | None = None  # what is otherwise when the operation is over
    after: Change | None = None  # what becomes otherwise between sync and verify
    picked_up: bool = True
    says: str = ""
    next: str = ""
    verdict: str
    todo: str
    hits: int = 0

    def before_sync(self, place: Place) -> None:
        """An Application that was never synced, with a controller that will do this."""
        world, name = place.world, place.application
        world.applications[name] = never = recorded("never_synced")
        never["metadata"]["name"] = name
        never["status"].pop("operationState", None)
        for held in (world.jobs, world.pods, world.logs):
            held.clear()
        world.faults = [replace(self.asked, on="POST")] if self.asked else []

        def end(world: World, name: str) -> None:
            well({place.job: LOG})(world, name)
            if self.during:
                self.hits += 1
                self.during(place)

        acts: list[Act] = [picks_up, end] if self.picked_up else []
        acting(world, acts)

    def before_verify(self, place: Place) -> None:
        """What has become of it when verify looks."""
        world = place.world
        self.hits += sum(one.hits for one in world.faults)
        world.look, world.faults = None, []
        if self.after:
            self.hits += 1
            self.after(place)
        if self.told:
            world.faults.append(replace(self.told, on=f"GET applications/{place.application}"))

    def over(self, place: Place) -> None:
        """Count what was met at last."""
        self.hits += sum(one.hits for one in place.world.faults)
        if not self.picked_up:
            self.hits += "operation" in place.world.applications[place.application]


def got_over(asked: Fault, told: Fault, todo: str = AGAIN) -> Misdeed:
    """The request for a sync is got over; an Argo CD that goes on so verifies nothing."""
    return Misdeed(asked=asked, told=told, verdict="argocd", todo=todo)


def refused(status: int, says: str, todo: str) -> Misdeed:
    """Neither gets anywhere before that is done."""
    fault = Fault(status=status)
    return Misdeed(asked=fault, told=replace(fault), says=says, next=todo, verdict="argocd", todo=todo)


def lies(during: Change, says: str, verdict: str, todo: str = SYNC, following: str = "") -> Misdeed:
    """The operation ends so, and both see it."""
    return Misdeed(during=during, says=says, next=following or todo, verdict=verdict, todo=todo)


def vanished(place: Place) -> None:
    del place.world.applications[place.application]["status"]["operationState"]


def overtaken(place: Place) -> None:
    place.state["operation"] |= {"info": [], "initiatedBy": {"username": "mallory"}}


def stopped_in_the_middle(place: Place) -> None:
    place.state["phase"] = "Running"


def hook_skipped(place: Place) -> None:
    """argo-cd 25475: the operation counts the Job of the one before as its own."""
    state = place.state
    state["startedAt"], state["finishedAt"] = "2026-11-23T04:56:50Z", "2026-11-23T04:56:52Z"


def evicted(place: Place) -> None:
    place.state["phase"] = "Failed"
    for row in rows(place):
        row["hookPhase"] = "Failed"
    for one in place.world.pods.values():
        one["status"] |= {"phase": "Failed", "reason": "Evicted"}


def log_rotated(place: Place) -> None:
    for pod in place.world.logs:
        place.world.logs[pod] = LOG.splitlines()[-1]


def log_empty(place: Place) -> None:
    for pod in place.world.logs:
        place.world.logs[pod] = ""


def an_hour_ahead(place: Place) -> None:
    """The clock of the controller; Kubernetes' own is right."""
    state = place.state
    state["startedAt"], state["finishedAt"] = "2026-11-23T05:56:45Z", "2026-11-23T05:56:49Z"


def terminated(place: Place) -> None:
    place.state["phase"], place.state["message"] = "Failed", "Operation terminated"
    wrong.hook_wrong(place)
    wrong.job_missing(place)


def another_namespace(place: Place) -> None:
    for row in rows(place):
        row["namespace"] = "elsewhere"


def last_pod_failed(place: Place) -> None:
    (name,) = place.world.pods
    again = deepcopy(place.world.pods[name])
    again["metadata"] |= {"name": "second", "creationTimestamp": "2026-11-23T04:56:48Z"}
    again["status"]["phase"] = "Failed"
    again["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] = 1
    place.world.pods["second"] = again
    place.world.logs["second"] = "2026/11/23 04:56:49 goose run: failed to connect"


BUSY = b'{"code": 9, "message": "another operation is already in progress"}'
STALE = "the Job is not of this operation"
FAULTS: dict[str, Misdeed] = {
    "connection-reset": got_over(Fault(reset=True, after=True, times=1), Fault(reset=True), "check the network"),
    "status-401": refused(401, "does not take the token of SHOP_TOKEN", RENEW),
    "status-403": refused(403, "does not allow it, or has no Application", CORRECT),
    "status-400-code-9": got_over(Fault(status=400, body=BUSY, times=2), Fault(status=400, body=BUSY)),
    "status-409": got_over(Fault(status=409, times=1), Fault(status=409)),
    "status-429": got_over(Fault(status=429, times=2), Fault(status=429)),
    "status-500": got_over(Fault(status=500, after=True, times=1), Fault(status=500)),
    "status-503": Misdeed(
        asked=Fault(status=503),
        says="nobody knows whether",
        next="run it again: what was taken is taken up",
        told=Fault(status=503),
        verdict="argocd",
        todo=AGAIN,
    ),
    "slow": got_over(Fault(dribble=0.01, after=True, times=1), Fault(dribble=0.01), "check the network"),
    "truncated-json": got_over(Fault(cut=40, times=1), Fault(cut=40), "check the network"),
    "operation-vanished": lies(vanished, "was never synced", "never-synced"),
    "operation-overtaken": lies(overtaken, "mallory asked for the last operation", "foreign"),
    "controller-gone": Misdeed(
        picked_up=False, says="no controller has picked it up", next=CONTROLLER, verdict="not-taken", todo=CONTROLLER
    ),
    "controller-stopped": lies(stopped_in_the_middle, "Argo CD contradicts itself", "inconsistent", CONTROLLER),
    "hook-skipped": lies(hook_skipped, STALE, "stale-job"),
    "hook-lost": lies(wrong.hook_missing, "succeeded without the migration Job", "hook-missing", "look at the chart"),
    "job-of-an-earlier-sync": lies(wrong.job_stale, STALE, "stale-job"),
    "another-image": lies(wrong.job_wrong, "the Job ran another image", "wrong-image", "look where the chart takes"),
    "pod-evicted": lies(evicted, "was taken down from outside", "evicted", LOOK),
    "last-pod-failed": lies(last_pod_failed, "goose reports an error", "log-error", LOOK),
    "log-rotated": lies(log_rotated, "log is not there, or not whole", "log-gone"),
    "log-empty": lies(log_empty, "log is not there, or not whole", "log-gone"),
    "log-says-error": lies(wrong.log_wrong, "goose reports an error though", "log-error", LOOK),
    "job-deleted-after-sync": Misdeed(after=wrong.job_missing, verdict="job-gone", todo=SYNC),
    "clock-an-hour-off": lies(an_hour_ahead, STALE, "stale-job"),
    "terminated": lies(terminated, "the operation was terminated", "terminated", LOOK),
    "another-namespace": lies(
        another_namespace, "succeeded without the migration Job", "hook-missing", "look at the chart"
    ),
}
