"""The cluster of the tests is a real one: it comes up, and releases the example with our own image and chart."""

from __future__ import annotations

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.site import Site
from tests.journeys.conftest import ROOT
from tools.toolchain.cluster import pinned_argocd, pinned_kubernetes

SERVICE = "auth-service"
ROLE = ROOT / "docs" / "ci" / "kubernetes-role.yaml"
FILES = sorted((ROOT / "services" / SERVICE / "migrations").glob("*.sql"))


def test_kubernetes_and_argo_cd_say_who_they_are(cluster: Cluster) -> None:
    (node,) = cluster.read("nodes")["items"]
    about = node["status"]["nodeInfo"]
    assert about["kubeletVersion"] == f"v{pinned_kubernetes()}"
    assert about["containerRuntimeVersion"].startswith("containerd://")
    with cluster.api() as api:
        assert api.get(f"{cluster.argocd}/api/version").json()["Version"].startswith(f"v{pinned_argocd()}")


def test_a_sync_runs_our_image_before_the_application_and_the_next_one_replaces_the_job(
    cluster: Cluster, site: Site
) -> None:
    revision = site.promoted()
    with cluster.api() as api:
        found = site.sync(api, revision, "first")
        state = found["status"]["operationState"]
        assert (state["phase"], state["syncResult"]["revision"]) == ("Succeeded", revision), state
        hook = site.hook(found)
        assert (hook["name"], hook["hookPhase"]) == (f"{SERVICE}-migrate", "Succeeded")

        assert site.versions() == [int(file.name.partition("_")[0]) for file in FILES]
        job = site.job()
        (image,) = [one["image"] for one in job["spec"]["template"]["spec"]["containers"]]
        assert image == site.image()
        assert image.startswith(f"{cluster.registry}/{site.namespace}/{SERVICE}-migrations")
        (pod,) = site.pods(job)
        (ran,) = pod["status"]["containerStatuses"]
        assert ran["imageID"].rpartition("@")[2] == image.rpartition("@")[2]
        assert f"goose: successfully migrated database to version: {site.versions()[-1]}" in site.log(pod)
        site.compared(api)
        found = cluster.read("deployment", SERVICE, f"--namespace={site.namespace}")
        assert found["status"]["readyReplicas"] == found["spec"]["replicas"]

        again = site.sync(api, revision, "second")["status"]["operationState"]
        assert again["phase"] == "Succeeded", again
        replaced = site.job()
        assert replaced["metadata"]["uid"] != job["metadata"]["uid"]
        assert replaced["metadata"]["creationTimestamp"] >= again["startedAt"]
        (pod,) = site.pods(replaced)
        assert f"goose: no migrations to run. current version: {site.versions()[-1]}" in site.log(pod)


def test_the_deployers_token_can_do_what_a_release_needs_and_no_more(cluster: Cluster, site: Site) -> None:
    path = f"/applications/{site.application}"
    with cluster.api() as api:
        assert api.get(path).status_code == 200
        assert api.delete(path).status_code == 403
        assert api.patch(path, json={"patch": "{}", "patchType": "merge"}).status_code == 403
    with cluster.api("wrong") as api:
        assert api.get(path).status_code == 401


def test_who_follows_the_runbook_reads_jobs_pods_events_and_logs_with_the_documented_role(
    cluster: Cluster, site: Site
) -> None:
    here = f"--namespace={site.namespace}"
    cluster.kubectl("apply", here, f"--filename={ROLE}")
    reader = (here, "--as=somebody", "--as-group=release-engineers")
    for kind in ("jobs", "pods", "events"):
        cluster.kubectl("get", kind, *reader)
    allowed = cluster.kubectl("auth", "can-i", "get", "pods", "--subresource=log", *reader)
    assert allowed.strip() == "yes"
    for denied in ("delete jobs", "create pods", "get secrets", "watch jobs", "create pods/exec"):
        with pytest.raises(AssertionError, match=r"can-i .*: $"):
            cluster.kubectl("auth", "can-i", *denied.split(), *reader)
