"""`doit sync` with a real remote and a real database; Argo CD and its controller are a stand-in that can lie."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from schemas.application import IMAGE, RUN
from tasks.sync.run import run
from tasks.sync.standing import up_to_date
from tasks.verify.looks import looks
from tests.argocd_standin.controller import acting, picks_up, prints, well
from tests.argocd_standin.server import TOKEN, Fault, World
from tests.journeys.syncing import LOGS, failed, fixture_fresh, rolled_out, sync, work
from tests.journeys.wrong import LOG
from tests.journeys.yard import Yard, fixture_yard
from tests.playground import git

__all__ = ["fixture_fresh", "fixture_yard"]


def test_a_release_is_rolled_out_by_its_commit_and_is_up_to_date_then(yard: Yard) -> None:
    acting(yard.world, [picks_up, prints(LOG.splitlines()[0]), prints(LOG), well(LOGS)])
    done = yard.mono.fine("sync:shop@dev", **yard.variables)
    (sent,) = yard.world.sent
    assert (sent["revision"], sent["strategy"], sent["prune"]) == (yard.promoted, {"hook": {}}, False)
    assert "resources" not in sent
    told = {one["name"]: one["value"] for one in sent["infos"]}
    assert told[IMAGE] == yard.image
    assert f"run {told[RUN]}" in done.stderr
    assert (
        "Running; pod Running (shop-migrate-pod); waiting for completion of hook batch/Job/shop-migrate" in done.stderr
    )
    assert done.stderr.count("shop-migrate: 2026/11/23 04:56:47 OK   00001_a.sql") == 2  # of the pod before, and of it
    assert f"shop-dev is at {yard.promoted[:12]}: applied 00001_a.sql, 00002_b.sql" in done.stderr
    assert "doit verify:shop@dev" in done.stderr
    assert TOKEN not in done.stderr
    yard.world.asked.clear()
    again = yard.mono.fine("sync:shop@dev", **yard.variables)
    assert "0 ran, 1 up to date, 0 failed" in again.stderr
    assert [one.partition("shop-dev")[2] for one in yard.world.asked] == [
        *("", "/resource", "/resource-tree", "/resource", "/logs"),
    ]
    yard.mono.fine("verify:shop@dev", **yard.variables)
    assert (
        "shop-dev has rolled out what origin/main says"
        in yard.mono.fine("why", "sync:shop@dev", **yard.variables).stdout
    )


def test_the_proof_is_made_of_what_was_seen_last_and_never_of_what_was_seen_before_a_sync(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(yard, monkeypatch, picks_up, well(LOGS))
    one = work(yard, monkeypatch)
    held = looks(one)
    try:
        assert up_to_date([one])["sync:shop@dev"].up_to_date
        seen = held.take(one.target)
        assert seen
        held.keep(one.target, seen, held.clock())
        acting(yard.world, [picks_up, well(LOGS)])
        run(one)
        assert held.take(one.target) is None
        held.keep(one.target, seen, held.clock())
        yard.sql("DELETE FROM goose_db_version WHERE version_id = 2")
        assert not up_to_date([one])["sync:shop@dev"].up_to_date
        assert held.take(one.target) is None
    finally:
        one.session.close()


def test_each_run_has_an_id_of_its_own(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        sync(yard, monkeypatch, picks_up, well(LOGS))
    first, second = ({one["name"]: one["value"] for one in body["infos"]}[RUN] for body in yard.world.sent)
    assert first != second


def test_without_a_database_to_ask_a_sync_is_done_and_not_called_verified(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    acting(yard.world, [picks_up, well(LOGS)])
    one = work(yard, monkeypatch)
    monkeypatch.delenv("SHOP_MAIN_DEV_URL")
    done = run(one)
    one.session.close()
    assert "verified" not in done.summary
    assert "to prove it: doit verify:shop@dev" in done.summary


def test_a_database_that_is_seen_to_be_behind_is_no_success(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    yard.sql("DELETE FROM goose_db_version WHERE version_id = 2")
    assert "failed: the database is behind the release" in failed(yard, monkeypatch, picks_up, well(LOGS))


@pytest.mark.parametrize("automated", [{}, {"prune": True}, {"enabled": None}, {"enabled": True}])
def test_automated_sync_is_refused_in_every_spelling(
    yard: Yard, automated: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.world.applications["shop-dev"]["spec"]["syncPolicy"] = {"automated": automated}
    said = failed(yard, monkeypatch)
    assert "shop-dev has automated sync on" in said
    assert "argocd app set shop-dev --sync-policy none" in said
    assert not yard.world.sent


def test_automated_sync_that_is_switched_off_is_none(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    yard.world.applications["shop-dev"]["spec"]["syncPolicy"] = {"automated": {"enabled": False}}
    acting(yard.world, [picks_up, well(LOGS)])
    monkeypatch.setattr(World, "synced", _lenient(World.synced))
    assert sync(yard, monkeypatch).summary.startswith("shop-dev is at")


def _lenient(synced: Any) -> Any:
    def take(world: World, name: str, body: dict[str, Any]) -> Any:
        policy = world.applications[name]["spec"].pop("syncPolicy")
        try:
            return synced(world, name, body)
        finally:
            world.applications[name]["spec"]["syncPolicy"] = policy

    return take


def test_a_closed_sync_window_is_refused_with_when(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    window = {"kind": "deny", "schedule": "0 22 * * *", "duration": "8h", "manualSync": False}
    yard.world.windows = {"canSync": False, "activeWindows": [window], "assignedWindows": [window]}
    assert "closed from `0 22 * * *` on, for 8h" in failed(yard, monkeypatch)
    window = {"kind": "allow", "schedule": "0 9 * * 1-5", "duration": "1h", "manualSync": False}
    yard.world.windows = {"canSync": False, "activeWindows": None, "assignedWindows": [window]}
    assert "open only from `0 9 * * 1-5` on, for 1h" in failed(yard, monkeypatch)
    assert not yard.world.sent


def test_an_application_of_several_sources_is_refused(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = yard.world.applications["shop-dev"]["spec"]
    spec["sources"] = [spec.pop("source")]
    assert "is not rendered from one folder of one repository" in failed(yard, monkeypatch)


def test_an_application_that_would_take_another_image_is_refused_before_anything_runs(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    helm = yard.world.applications["shop-dev"]["spec"]["source"]["helm"]
    helm["parameters"] = [{"name": "migrations.image", "value": yard.other}]
    said = failed(yard, monkeypatch)
    assert said.startswith("Application shop-dev: helm.parameters: ")
    assert f"it gives migrations.image as {yard.other}, and that counts; the release is {yard.image}" in said
    assert yard.world.sent == []


def test_what_was_never_promoted_is_told_how(yard: Yard) -> None:
    root = yard.mono.root
    (root / "services" / "shop" / "values.yaml").write_text('migrations:\n  image: ""\n')
    git(root, "commit", "--quiet", "-am", "by hand")
    git(root, "push", "--quiet", "origin", "HEAD:main")
    try:
        done = yard.mono.doit("sync:shop@dev", **yard.variables)
    finally:
        git(root, "reset", "--quiet", "--hard", yard.promoted)
        git(root, "push", "--quiet", "--force", "origin", "HEAD:main")
    assert done.returncode == 1
    assert "doit promote:shop@dev" in done.stderr
    assert not yard.world.sent


def test_somebody_elses_operation_is_waited_for_and_named(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    world = yard.world
    world.applications["shop-dev"]["operation"] = {"initiatedBy": {"username": "alice"}, "sync": {"revision": "main"}}
    looks = iter(range(100))

    def look(world: World, name: str) -> None:
        if next(looks) == 3:
            del world.applications[name]["operation"]
            acting(world, [picks_up, well(LOGS)])

    world.look = look
    assert sync(yard, monkeypatch).summary.startswith("shop-dev is at")
    assert "waiting for an operation of alice" in yard.said.lines


def test_a_run_for_this_release_that_came_and_ended_since_the_first_look_is_taken_up(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody types the same at the same time: what the first has rolled out is not rolled out twice."""
    looked = []

    def meanwhile(_world: World, name: str) -> None:
        looked.append(name)
        if len(looked) == 2:
            rolled_out(yard)

    yard.world.look = meanwhile
    assert "applied 00001_a.sql, 00002_b.sql" in sync(yard, monkeypatch).summary
    assert any("taking up run run-1" in line for line in yard.said.lines)
    assert yard.world.sent == []


def test_a_run_of_ours_for_another_image_is_waited_for(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    operation = {
        "sync": {"revision": yard.promoted},
        "info": [{"name": RUN, "value": "theirs"}, {"name": IMAGE, "value": yard.other}],
    }
    yard.world.applications["shop-dev"]["operation"] = operation
    monkeypatch.setattr("tasks.sync.run.DEADLINE", 0.2)
    assert "an operation of somebody (run theirs)" in failed(yard, monkeypatch)
    assert not yard.world.sent


FAULTS: dict[str, Fault] = {
    "a reset that took it": Fault(reset=True, after=True, times=1),
    "a reset that did not": Fault(reset=True, times=1),
    "503 that took it": Fault(status=503, after=True, times=1),
    "503 that did not": Fault(status=503, times=1),
    "504 twice": Fault(status=504, times=2),
    "429": Fault(status=429, headers={"Retry-After": "0"}, times=2),
    "409": Fault(status=409, body=b'{"error": "conflict", "code": 10, "message": "conflict"}', times=1),
    "400 code 9": Fault(
        status=400, body=b'{"code": 9, "message": "another operation is already in progress"}', times=2
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_request_that_goes_wrong_is_got_over_and_runs_once(
    yard: Yard, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.world.faults.append(replace(FAULTS[name], on="POST"))
    assert sync(yard, monkeypatch, picks_up, well(LOGS)).summary.startswith("shop-dev is at")
    assert len(yard.world.sent) == 1


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Fault(status=503, on="POST"), "nobody knows whether"),
        (Fault(status=401, on="POST"), "does not take the token"),
        (Fault(status=403, on="POST"), "does not allow it"),
        (Fault(status=409, on="POST"), "cannot be changed now"),
        (Fault(status=403, body=b'{"code": 7, "message": "cannot sync: blocked by sync window"}', on="POST"), "window"),
        (Fault(status=503, on="syncwindows"), "gives no answer"),
        (Fault(cut=30, on="syncwindows"), "cannot be reached"),
    ],
)
def test_a_request_that_is_refused_ends_with_the_way_out(
    yard: Yard, fault: Fault, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.world.faults.append(replace(fault))
    said = failed(yard, monkeypatch)
    assert says in said
    assert "→ " in said


def test_what_no_controller_picks_up_is_told(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    said = failed(yard, monkeypatch)
    assert "no controller has picked it up" in said
    assert len(yard.world.sent) == 1
