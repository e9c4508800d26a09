"""`doit verify` of an Argo CD that lies, fails, or is not heard: the verdict that fits, and no secret shown."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from schemas.errors import GanderError, NotVerified
from tests.argocd_standin.server import TOKEN, Fault
from tests.journeys.wrong import (
    Place,
    hook_missing,
    hook_wrong,
    job_missing,
    job_stale,
    job_wrong,
    log_missing,
    log_wrong,
    rows,
)
from tests.journeys.yard import Yard, fixture_well, fixture_yard

__all__ = ["fixture_well", "fixture_yard"]


def vanished(place: Place) -> None:
    del place.world.applications[place.application]["status"]["operationState"]


def overtaken(place: Place) -> None:
    state = place.state
    state["operation"] |= {"info": [], "initiatedBy": {"username": "mallory"}}


def controller_gone(place: Place) -> None:
    """A request was taken, and the last state is gone with it; nobody goes on."""
    place.world.synced(
        place.application, {"revision": place.promoted, "infos": [{"name": "gander-run", "value": "run-2"}]}
    )


def controller_stopped(place: Place) -> None:
    place.state["phase"] = "Running"


def hook_skipped(place: Place) -> None:
    """argo-cd 25475: the operation counts the Job of the one before as its own."""
    state = place.state
    state["startedAt"], state["finishedAt"] = "2026-11-23T04:56:50Z", "2026-11-23T04:56:52Z"


def evicted(place: Place) -> None:
    state = place.state
    state["phase"] = "Failed"
    for row in rows(place):
        row["hookPhase"] = "Failed"
    for one in place.world.pods.values():
        one["status"] |= {"phase": "Failed", "reason": "Evicted"}


def clock_of_the_cluster(place: Place) -> None:
    state = place.state
    state["startedAt"], state["finishedAt"] = "2026-11-23T05:56:45Z", "2026-11-23T05:56:49Z"


def terminated(place: Place) -> None:
    state = place.state
    state["phase"], state["message"] = "Failed", "Operation terminated"
    hook_wrong(place)
    job_missing(place)


def another_namespace(place: Place) -> None:
    for row in rows(place):
        row["namespace"] = "elsewhere"


def two_pods_and_the_last_failed(place: Place) -> None:
    (name,) = place.world.pods
    again = deepcopy(place.world.pods[name])
    again["metadata"] |= {"name": "shop-migrate-2", "creationTimestamp": "2026-11-23T04:56:48Z"}
    again["status"]["phase"] = "Failed"
    again["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] = 1
    place.world.pods["shop-migrate-2"] = again
    place.world.logs["shop-migrate-2"] = "2026/11/23 04:56:49 goose run: failed to connect"


LIES = {
    vanished: "never-synced",
    overtaken: "foreign",
    controller_gone: "not-taken",
    controller_stopped: "inconsistent",
    hook_skipped: "stale-job",
    hook_missing: "hook-missing",
    job_stale: "stale-job",
    job_wrong: "wrong-image",
    job_missing: "job-gone",
    evicted: "evicted",
    terminated: "terminated",
    log_missing: "log-gone",
    log_wrong: "log-error",
    clock_of_the_cluster: "stale-job",
    another_namespace: "hook-missing",
    two_pods_and_the_last_failed: "log-error",
}


@pytest.mark.parametrize(("lie", "kind"), LIES.items(), ids=[one.__name__ for one in LIES])
def test_a_cluster_that_lies_gets_the_verdict_that_fits(
    yard: Yard, lie: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lie(yard.place)
    with pytest.raises(NotVerified):
        yard.verify(monkeypatch, format="json")
    assert json.loads(yard.said.lines[-1])["verdict"] == kind


FAULTS: dict[str, tuple[Fault, bool]] = {  # and whether a repeat gets over it
    "connection reset": (Fault(reset=True, times=1), True),
    "connection always reset": (Fault(reset=True), False),
    "401": (Fault(status=401), False),
    "403": (Fault(status=403), False),
    "409": (Fault(status=409), False),
    "429 once": (Fault(status=429, times=1), True),
    "500 once": (Fault(status=500, times=1), True),
    "503": (Fault(status=503), False),
    "truncated JSON": (Fault(cut=40), False),
    "a login page": (Fault(status=200, body=b"<html>"), False),
    "an empty object": (Fault(status=200, body=b"{}"), False),
}
PLACES = ("GET applications/shop-dev", "/resource-tree", "/resource", "/logs")


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("name", FAULTS)
def test_an_argo_cd_that_answers_badly_is_got_over_or_verifies_nothing(
    yard: Yard, name: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.patience.Patience._delay", lambda *_: 0.0)
    fault, over = deepcopy(FAULTS[name])
    fault.on = where
    yard.world.faults.append(fault)
    if over:
        assert yard.verify(monkeypatch).summary.startswith("verified")
        return
    with pytest.raises(GanderError) as caught:
        yard.verify(monkeypatch)
    assert TOKEN not in str(caught.value) + "".join(yard.said.lines)


def test_no_secret_is_written_or_shown_anywhere(yard: Yard, tmp_path: Path) -> None:
    shown = []
    for words in (("verify:shop@dev",), ("verify:shop@dev", "format=json"), ("logs:shop@dev",), ("history:shop@dev",)):
        done = yard.mono.doit(
            *words, *((f"evidence={tmp_path}/kept",) if "verify" in words[0] else ()), **yard.variables
        )
        shown.append(done.stdout + done.stderr)
    yard.world.faults.append(Fault(status=500, body=f'{{"message": "echo {TOKEN}"}}'.encode()))
    done = yard.mono.doit("verify:shop@dev", **yard.variables)
    assert done.returncode == 1
    shown.append(done.stdout + done.stderr)
    files = [file for folder in (yard.mono.root, tmp_path) for file in folder.rglob("*") if file.is_file()]
    assert any(file.name == "state.db" for file in files)
    password = urlsplit(yard.url).password
    assert password
    for secret in (TOKEN, password):
        assert not [text for text in shown if secret in text]
        assert not [file for file in files if secret.encode() in file.read_bytes()]
