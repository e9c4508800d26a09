"""The stand-in of Argo CD tells nothing that a real one does not, in the same form, of the same release."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from schemas.errors import Refused
from schemas.windows import windows
from tasks.sync.before import closed
from tests.argocd_standin.release import released
from tests.argocd_standin.server import RECORDED as RECORDINGS
from tests.argocd_standin.server import TOKEN, World, recorded, serving
from tests.cluster.cluster import Api, Cluster
from tests.cluster.making import example
from tests.cluster.site import Site

SERVICE = "auth-service"
JOB = f"{SERVICE}-migrate"
FREE = {"annotations", "labels", "networkingInfo", "info", "managedFields"}  # may hold anything
CHOSEN = (
    ".spec.",
    ".status.containerStatuses[].volumeMounts",
    ".status.sync.comparedTo",
    ".status.operationState.operation.sync.syncOptions",
    ".metadata.annotations",
)
"""What a chart and an Application say, and no API: the recorded release was of others."""


@pytest.fixture(scope="module", name="site")
def fixture_site(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with example(cluster, tmp_path_factory.mktemp("site"), SERVICE) as site:
        with cluster.api() as api:
            assert site.sync(api, site.promoted(), "first")["status"]["operationState"]["phase"] == "Succeeded"
            site.compared(api)
        yield site


@pytest.fixture(scope="module", name="world")
def fixture_world(site: Site) -> Iterator[World]:
    with serving() as world:
        revision = site.git("rev-parse", "HEAD")
        released(world, site.application, image=site.image(), revision=revision, logs={JOB: "goose: no migrations"})
        yield world


@pytest.fixture(name="live")
def fixture_live(cluster: Cluster) -> Iterator[Api]:
    with cluster.api() as api:
        yield api


@pytest.fixture(name="standin")
def fixture_standin(world: World) -> Iterator[Api]:
    heads = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    with httpx.Client(base_url=f"{world.url}/api/v1", headers=heads, trust_env=False) as api:
        yield api


def places(document: Any, above: str = "") -> set[str]:
    """Every place in a document that holds a value, and of which kind."""
    if isinstance(document, dict):
        return {
            one
            for key, value in document.items()
            for one in ({f"{above}.{key}"} if key in FREE else places(value, f"{above}.{key}"))
        }
    if isinstance(document, list):
        return {one for value in document for one in places(value, f"{above}[]")}
    return {f"{above} {type(document).__name__}"}


def more(one: Any, other: Any) -> set[str]:
    """The places of one document that are not in another."""
    return {place for place in places(one) - places(other) if not place.startswith(CHOSEN)}


def test_an_application_after_a_sync(site: Site, live: Api, standin: Api) -> None:
    path = f"/applications/{site.application}"
    assert more(standin.get(path).json(), live.get(path).json()) == set()


def test_the_tree_of_what_lies_behind_it(site: Site, live: Api, standin: Api) -> None:
    path = f"/applications/{site.application}/resource-tree"
    assert more(standin.get(path).json(), live.get(path).json()) == set()


@pytest.mark.parametrize("kind", ["Job", "Pod"])
def test_an_object_as_it_is_in_the_cluster(kind: str, site: Site, live: Api, standin: Api) -> None:
    found = []
    for api in (standin, live):
        tree = api.get(f"/applications/{site.application}/resource-tree").json()["nodes"]
        (name,) = [node["name"] for node in tree if node["kind"] == kind and node["name"].startswith(JOB)]
        asked = {"namespace": site.namespace, "version": "v1", "kind": kind, "resourceName": name}
        asked |= {"group": "batch"} if kind == "Job" else {}
        answer = api.get(f"/applications/{site.application}/resource", params=asked)
        found.append(json.loads(answer.json()["manifest"]))
    assert more(*found) == set()


def test_what_is_not_there(site: Site, live: Api, standin: Api) -> None:
    asked = {"namespace": site.namespace, "version": "v1", "group": "batch", "kind": "Job", "resourceName": "none"}
    answers = [api.get(f"/applications/{site.application}/resource", params=asked) for api in (standin, live)]
    statuses, words = [one.status_code for one in answers], [one.json()["message"] for one in answers]
    assert statuses[0] == statuses[1]
    assert words[0] == words[1]


def test_the_lines_of_a_log(site: Site, live: Api, standin: Api) -> None:
    found = []
    for api in (standin, live):
        tree = api.get(f"/applications/{site.application}/resource-tree").json()["nodes"]
        (name,) = [node["name"] for node in tree if node["kind"] == "Pod" and node["name"].startswith(JOB)]
        asked = {"namespace": site.namespace, "podName": name, "container": "migrate", "follow": "false"}
        text = api.get(f"/applications/{site.application}/logs", params=asked).text
        found.append([json.loads(line) for line in text.splitlines()])
    assert more(*found) == set()


RECORDED = sorted(
    file.stem for file in RECORDINGS.glob("*.json") if "destination" in json.loads(file.read_text()).get("spec", {})
)


@pytest.mark.parametrize("name", RECORDED)
def test_what_was_recorded_of_an_application_is_valid_by_its_definition_in_the_cluster(
    name: str, cluster: Cluster
) -> None:
    document = recorded(name)
    document |= {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application"}
    document["metadata"] = {"name": "recorded", "namespace": "argocd"}
    cluster.kubectl("create", "--dry-run=server", "--validate=strict", "-f=-", given=document)
    document["status"].setdefault("operationState", {})["phase"] = ["Succeeded"]
    with pytest.raises(AssertionError, match="operationState"):
        cluster.kubectl("create", "--dry-run=server", "--validate=strict", "-f=-", given=document)


DENY = {"kind": "deny", "schedule": "* * * * *", "duration": "1h", "timeZone": "Asia/Seoul"}
FAR = f"0 0 1 {(datetime.now(UTC).month + 5) % 12 + 1} *"  # half a year from now
LATER = {"kind": "allow", "schedule": FAR, "duration": "1h", "timeZone": "Asia/Seoul"}


@pytest.mark.parametrize(
    ("kept", "says"),
    [
        ([DENY], "closed from `* * * * *` on, for 1h"),
        ([DENY | {"manualSync": True}], ""),
        ([LATER], f"open only from `{FAR}` on, for 1h"),
        ([LATER | {"manualSync": True}], ""),
        ([DENY, LATER | {"manualSync": True}], "closed from `* * * * *` on, for 1h"),
    ],
    ids=["deny", "deny, but not by hand", "allow later", "allow later, and by hand", "deny, and allow by hand"],
)
def test_sync_windows_of_every_kind_are_read_as_argo_cd_means_them_for_a_sync_by_hand(
    kept: list[dict[str, Any]], says: str, site: Site, live: Api
) -> None:
    patched = ("patch", "appproject", "default", "--namespace=argocd", "--type=merge", "--patch")
    named = [one | {"namespaces": [site.namespace]} for one in kept]
    path = f"/applications/{site.application}/syncwindows"
    site.cluster.kubectl(*patched, json.dumps({"spec": {"syncWindows": named}}))
    try:
        deadline = time.monotonic() + 30
        told = live.get(path).json()
        while asked(told) != asked({"assignedWindows": kept}) and time.monotonic() < deadline:
            time.sleep(0.2)
            told = live.get(path).json()
    finally:
        site.cluster.kubectl(*patched, json.dumps({"spec": {"syncWindows": None}}))
    if says:
        with pytest.raises(Refused, match=re.escape(says)):
            closed(windows(told), site.application, f"{SERVICE}@dev")
    else:
        closed(windows(told), site.application, f"{SERVICE}@dev")
    assert {key for one in told["assignedWindows"] for key in one} <= {"kind", "schedule", "duration", "manualSync"}


def asked(told: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The windows as far as an answer has them."""
    return [(one["kind"], one["schedule"], one.get("manualSync", False)) for one in told.get("assignedWindows") or []]


def test_a_change_that_does_not_say_that_it_is_json(site: Site, live: Api, standin: Api) -> None:
    path = f"/applications/{site.application}/operation"
    answers = [api.delete(path, headers={"Content-Type": "text/plain"}) for api in (standin, live)]
    assert [one.status_code for one in answers] == [415, 415]
    assert answers[0].text == answers[1].text
