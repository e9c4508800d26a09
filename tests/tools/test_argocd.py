"""Argo CD, asked over a stand-in whose answers were recorded."""

from __future__ import annotations

import pytest

from schemas.errors import ArgoBusy, ArgoError
from tests.argocd_standin.server import World, recorded
from tests.tools.argocd import COMMIT, IMAGE, LOG, fixture_pauses, fixture_server, fixture_world
from tools.argocd import Server

__all__ = ["fixture_pauses", "fixture_server", "fixture_world"]


def test_an_application_is_read_with_its_operation_and_the_hook(server: Server) -> None:
    found = server.application("cart-dev")
    assert found.state is not None
    assert (found.state.phase, found.state.revisions, found.state.request.run) == ("Succeeded", (COMMIT,), "run-1")
    assert [(row.name, row.phase) for row in found.state.rows if row.hook == "PreSync"] == [
        ("cart-migrate", "Succeeded")
    ]
    assert not found.automated
    assert found.pending is None


def test_a_job_its_pods_and_their_logs_are_read_as_they_are_in_the_cluster(server: Server) -> None:
    job = server.job("cart-dev", "auth", "cart-migrate")
    assert job is not None
    assert (job.complete, job.images) == (True, (IMAGE,))
    (pod,) = server.pods("cart-dev", "auth", job.uid)
    assert pod.containers[0].digest == f"sha256:{'a' * 64}"
    assert server.log("cart-dev", "auth", pod.name, "migrate").text == LOG


def test_a_line_of_a_log_may_hold_any_character(server: Server, world: World) -> None:
    said = 'ERROR: no such place: "a\x85b\u2028c"'
    (pod,) = server.pods("cart-dev", "auth", world.jobs["cart-migrate"]["metadata"]["uid"])
    world.logs[pod.name] = f"{said}\nend"
    assert server.log("cart-dev", "auth", pod.name, "migrate").text == f"{said}\nend"


def test_a_job_that_is_not_there_is_none_and_pods_of_another_job_are_not_its(server: Server) -> None:
    assert server.job("cart-dev", "auth", "gone") is None
    assert server.pods("cart-dev", "auth", "another uid") == ()


def test_a_sync_is_of_one_whole_commit_with_all_hooks_and_says_whose_it_is(server: Server, world: World) -> None:
    server.sync("cart-dev", COMMIT, {"gander-run": "run-2"})
    (sent,) = world.sent
    assert sent == {
        "revision": COMMIT,
        "prune": False,
        "dryRun": False,
        "strategy": {"hook": {}},
        "infos": [{"name": "gander-run", "value": "run-2"}],
    }
    found = server.application("cart-dev")
    assert found.pending is not None
    assert found.pending.run == "run-2"
    assert found.state is None


@pytest.mark.parametrize("name", ["main", COMMIT[:12], "HEAD"])
def test_nothing_but_a_whole_commit_is_ever_synced(server: Server, world: World, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        server.sync("cart-dev", name, {})
    assert world.sent == []


def test_another_operation_and_automated_sync_are_in_the_way(server: Server, world: World) -> None:
    server.sync("cart-dev", COMMIT, {})
    with pytest.raises(ArgoBusy, match="cannot be changed now") as caught:
        server.sync("cart-dev", COMMIT, {})
    assert "another operation is already in progress" in caught.value.why
    world.applications["cart-dev"].pop("operation")
    world.applications["cart-dev"]["spec"]["syncPolicy"]["automated"] = {}
    with pytest.raises(ArgoBusy) as caught:
        server.sync("cart-dev", COMMIT, {})
    assert "auto-sync currently set to main" in caught.value.why


@pytest.mark.parametrize(
    ("policy", "on"),
    [
        (None, False),
        ({}, False),
        ({"automated": None}, False),
        ({"automated": {}}, True),
        ({"automated": {"enabled": None}}, True),
        ({"automated": {"enabled": True}}, True),
        ({"automated": {"prune": True, "selfHeal": True}}, True),
        ({"automated": {"enabled": False, "prune": True}}, False),
    ],
)
def test_automated_sync_in_every_spelling(server: Server, world: World, policy: object, on: bool) -> None:  # noqa: FBT001
    world.applications["cart-dev"]["spec"]["syncPolicy"] = policy
    assert server.application("cart-dev").automated is on


def test_only_an_event_of_pods_that_are_not_made_says_why_there_are_none(server: Server, world: World) -> None:
    job = server.job("cart-dev", "auth", "cart-migrate")
    assert job is not None
    world.events = [{"reason": "SuccessfulCreate", "message": "Created pod"}]
    assert not server.refused("cart-dev", job)
    world.events.append({"reason": "FailedCreate", "message": "exceeded quota"})
    assert server.refused("cart-dev", job) == "exceeded quota"


def test_an_operation_is_ended_and_where_none_runs_that_is_told(server: Server, world: World) -> None:
    server.sync("cart-dev", COMMIT, {})
    world.applications["cart-dev"]["status"]["operationState"] = recorded("picked_up")["status"]["operationState"]
    server.terminate("cart-dev")
    assert server.application("cart-dev").pending is None
    with pytest.raises(ArgoError) as caught:
        server.terminate("cart-dev")
    assert "No operation is in progress" in caught.value.why
