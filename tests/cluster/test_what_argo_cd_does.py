"""What a live Argo CD does that a release must not be misled by; each of these was once a surprise."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from tests.cluster.cluster import Api, Cluster
from tests.cluster.site import PATIENCE, PAUSE, Site

SERVICE = "auth-service"
JOB = f"{SERVICE}-migrate"
AUTOMATED: dict[str, Any] = {"spec": {"syncPolicy": {"automated": {}}}}
NOWHERE = f"@sha256:{'0' * 64}"
BUSY = 9  # gRPC's FailedPrecondition, as the body of an answer says it


@pytest.fixture(name="api")
def fixture_api(cluster: Cluster, site: Site) -> Iterator[Api]:
    """A client; what its test has left running is terminated."""
    with cluster.api() as api:
        yield api
        if "operation" in site.now(api):
            api.delete(f"/applications/{site.application}/operation")
        site.idle(api)


@pytest.fixture(scope="module", name="released")
def fixture_released(cluster: Cluster, site: Site) -> str:
    """The commit of a release that went well."""
    revision = site.promoted()
    with cluster.api() as api:
        assert site.sync(api, revision, "released")["status"]["operationState"]["phase"] == "Succeeded"
    return revision


@pytest.fixture(name="automated")
def fixture_automated(cluster: Cluster, site: Site) -> Iterator[None]:
    """Somebody has turned automated sync on."""
    patch = ("patch", "application", site.application, "--namespace=argocd")
    cluster.kubectl(*patch, "--type=merge", f"--patch={json.dumps(AUTOMATED)}")
    yield
    off = [{"op": "remove", "path": "/spec/syncPolicy"}]
    cluster.kubectl(*patch, "--type=json", f"--patch={json.dumps(off)}")


def until(look: Callable[[], Any], right: Callable[[Any], object]) -> Any:
    """What is seen once it is right."""
    deadline = time.monotonic() + PATIENCE
    while True:
        seen = look()
        if right(seen):
            return seen
        assert time.monotonic() < deadline, seen
        time.sleep(PAUSE)


def of_kind(nodes: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """The nodes of a tree that are of a kind."""
    return [node for node in nodes if node["kind"] == kind]


def waiting(site: Site) -> str:
    """Why the one pod of the Job waits."""
    label = f"--selector=batch.kubernetes.io/job-name={JOB}"
    for pod in site.cluster.read("pods", f"--namespace={site.namespace}", label)["items"]:
        for container in pod["status"].get("containerStatuses", []):
            reason: str = container["state"].get("waiting", {}).get("reason", "")
            return reason
    return ""


def test_the_job_and_its_pod_are_read_through_argo_cd_with_the_deployers_rights(
    site: Site, released: str, api: Api
) -> None:
    assert released
    path = f"/applications/{site.application}"
    # the tree is of the last comparison, and may still be empty when the sync has ended
    nodes = until(lambda: api.get(f"{path}/resource-tree").json().get("nodes", []), lambda nodes: of_kind(nodes, "Job"))
    (job,) = of_kind(nodes, "Job")
    assert job["uid"] == site.job()["metadata"]["uid"]
    (pod,) = [node for node in of_kind(nodes, "Pod") if node["parentRefs"][0]["uid"] == job["uid"]]
    where = {"namespace": site.namespace, "version": "v1"}
    asked = where | {"group": "batch", "kind": "Job", "resourceName": JOB}
    read = json.loads(api.get(f"{path}/resource", params=asked).json()["manifest"])
    assert read["metadata"]["uid"] == job["uid"]
    assert read["status"]["succeeded"] == 1
    asked = where | {"kind": "Pod", "resourceName": pod["name"]}
    read = json.loads(api.get(f"{path}/resource", params=asked).json()["manifest"])
    (container,) = read["status"]["containerStatuses"]
    assert container["imageID"].endswith(site.image().rpartition("@")[2])
    asked = {"namespace": site.namespace, "podName": pod["name"], "container": "migrate", "follow": "false"}
    lines = [json.loads(line)["result"] for line in api.get(f"{path}/logs", params=asked).text.splitlines()]
    assert any("goose: successfully migrated database" in line.get("content", "") for line in lines)
    assert lines[-1]["last"] is True


def test_an_image_that_does_not_exist_keeps_the_sync_running_and_a_terminated_hook_says_succeeded(
    site: Site, released: str, api: Api
) -> None:
    assert released
    missing = site.valued("no such image", image=site.image().partition("@")[0] + NOWHERE)
    assert site.asked(api, missing, "missing").status_code == 200
    until(lambda: waiting(site), lambda reason: reason == "ImagePullBackOff")
    assert site.now(api)["status"]["operationState"]["phase"] == "Running"
    second = site.asked(api, missing, "second")
    assert (second.status_code, second.json()["code"]) == (400, BUSY)
    assert api.delete(f"/applications/{site.application}/operation").status_code == 200
    found = site.ended(api, "missing")
    state = found["status"]["operationState"]
    assert (state["phase"], state["message"]) == ("Failed", "Operation terminated")
    assert site.hook(found)["hookPhase"] == "Succeeded", "the row alone proves nothing"


def test_a_job_past_its_deadline_ends_the_sync(site: Site, released: str, api: Api) -> None:
    assert released
    late = site.valued("a deadline", image=site.image().partition("@")[0] + NOWHERE, deadlineSeconds=5)
    found = site.sync(api, late, "late")
    assert found["status"]["operationState"]["phase"] == "Failed"
    hook = site.hook(found)
    assert (hook["hookPhase"], hook["message"]) == ("Failed", "Job was active longer than specified deadline")


def test_a_migration_that_fails_ends_the_sync_and_its_log_is_there(site: Site, released: str, api: Api) -> None:
    site.git("checkout", "--quiet", released, "--", ".")
    site.monorepo.write(SERVICE, "20990101000000_create_notes.sql", NOTES, "DROP TABLE notes;")
    site.save("a table that somebody has made by hand")
    with psycopg.connect(site.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE notes (id TEXT)")
    found = site.sync(api, site.promoted(), "failing")
    state = found["status"]["operationState"]
    assert state["phase"] == "Failed"
    hook = site.hook(found)
    assert (hook["hookPhase"], hook["message"]) == ("Failed", "Job has reached the specified backoff limit")
    (pod,) = site.pods(site.job())
    assert 'relation "notes" already exists' in site.log(pod)
    with psycopg.connect(site.url, autocommit=True) as connection:
        connection.execute("DROP TABLE notes")


NOTES = """CREATE TABLE notes (
    id TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ(6) NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ(6) NOT NULL DEFAULT now(),
    CONSTRAINT notes_pkey PRIMARY KEY (id)
);"""


def test_a_commit_that_does_not_exist_is_taken_and_ends_in_an_error(site: Site, released: str, api: Api) -> None:
    assert released
    state = site.sync(api, "0" * 40, "nowhere")["status"]["operationState"]
    assert (state["phase"], "ComparisonError" in state["message"]) == ("Error", True), state


@pytest.mark.usefixtures("automated")
def test_automated_sync_refuses_every_commit_and_calls_synced_what_it_has_not_run(
    site: Site, released: str, api: Api
) -> None:
    site.git("checkout", "--quiet", released, "--", ".")
    before = site.save("back to the release")
    path = f"/applications/{site.application}"
    until(lambda: api.get(path, params={"refresh": "normal"}).json(), lambda found: settled(found, before))
    refused = site.asked(api, before, "mine")
    assert (refused.status_code, refused.json()["code"]) == (400, BUSY)
    assert "auto-sync currently set to main" in refused.json()["message"]
    last = site.now(api)["status"]["operationState"]["startedAt"]
    hook = site.valued("only the hook differs", deadlineSeconds=4000)
    found = until(lambda: api.get(path, params={"refresh": "normal"}).json(), lambda found: settled(found, hook))
    assert found["status"]["operationState"]["startedAt"] == last, "Synced at a commit whose Job never ran"
    assert found["status"]["history"][-1]["revision"] != hook


def settled(found: dict[str, Any], revision: str) -> bool:
    """Whether Argo CD has nothing to do any more and calls that commit synced."""
    sync = found["status"]["sync"]
    return "operation" not in found and (sync["status"], sync["revision"]) == ("Synced", revision)


def test_what_is_not_allowed_and_what_is_not_there_have_one_answer(site: Site, api: Api) -> None:
    unknown = api.post("/applications/nobody-knows-it/sync", json={})
    assert (unknown.status_code, unknown.json()["code"]) == (403, 7)
    forbidden = api.delete(f"/applications/{site.application}")
    assert (forbidden.status_code, forbidden.json()["code"]) == (403, 7)
    bare = api.delete(f"/applications/{site.application}", headers={"Content-Type": "text/plain"})
    assert bare.status_code == 415, "whatever changes something says that it is JSON, also without a body"
    with site.cluster.api("wrong") as stranger:
        nobody = stranger.get(f"/applications/{site.application}")
    assert (nobody.status_code, nobody.json()["code"]) == (401, 16)
