"""How a sync ends that was begun: done only where the facts say so, early where nothing begins, never by a kill."""

from __future__ import annotations

import signal
import subprocess
import time

import pytest

from tests.argocd_standin.controller import Act, acting, fails, fails_elsewhere, picks_up, prints, waits, well
from tests.argocd_standin.server import Fault, World
from tests.journeys.conftest import ROOT
from tests.journeys.syncing import ERROR, LOGS, answer, asked, failed, fixture_fresh, sync
from tests.journeys.wrong import LOG
from tests.journeys.yard import Yard, fixture_yard

__all__ = ["fixture_fresh", "fixture_yard"]


def overtakes(world: World, name: str) -> None:
    """Somebody patches another operation over ours, and it goes well."""
    well(LOGS)(world, name)
    world.state(name)["operation"]["info"] = []


def overtakes_with_a_run(world: World, name: str) -> None:
    well(LOGS)(world, name)
    world.state(name)["operation"]["info"][0]["value"] = "another-run"


def another_commit(world: World, name: str) -> None:
    well(LOGS)(world, name)
    world.state(name)["syncResult"]["revision"] = "f" * 40


def without_its_hook(world: World, name: str) -> None:
    well(LOGS)(world, name)
    rows = world.state(name)["syncResult"]["resources"]
    rows[:] = [row for row in rows if row["kind"] != "Job"]


def with_an_old_job(world: World, name: str) -> None:
    well(LOGS)(world, name)
    world.jobs["shop-migrate"]["metadata"]["creationTimestamp"] = "2026-11-23T04:00:00Z"


def with_another_image(world: World, name: str) -> None:
    well(LOGS)(world, name)
    world.jobs["shop-migrate"]["spec"]["template"]["spec"]["containers"][0]["image"] = "other"


def without_its_job(world: World, name: str) -> None:
    well(LOGS)(world, name)
    world.jobs.clear()


def vanishes(world: World, name: str) -> None:
    del world.applications[name]["operation"]
    world.applications[name]["status"].pop("operationState")


def stops_in_the_middle(world: World, name: str) -> None:
    world.applications[name].pop("operation")


BAD: dict[str, tuple[list[Act], str]] = {
    "overtaken by somebody": ([picks_up, overtakes], ": overtaken, deployer"),
    "overtaken by a run": ([picks_up, overtakes_with_a_run], "was overtaken: what ran last is run another-run"),
    "another commit": ([picks_up, another_commit], "not proved"),
    "the hook was skipped": ([picks_up, without_its_hook], "succeeded without the migration Job"),
    "the Job is of an earlier sync": ([picks_up, with_an_old_job], "the Job is not of this operation"),
    "the Job ran another image": ([picks_up, with_another_image], "the Job ran another image"),
    "the Job is gone": ([picks_up, without_its_job], "the Job cannot be looked at"),
    "the log says error": ([picks_up, well({"shop-migrate": ERROR})], "goose reports an error though"),
    "the log is empty": ([picks_up, well({"shop-migrate": ""})], "log is not there, or not whole"),
    "the operation vanished": ([picks_up, vanishes], "never synced"),
    "the controller stopped": ([picks_up, stops_in_the_middle], "Argo CD contradicts itself"),
    "the hook failed": ([picks_up, prints(ERROR), fails("hook_failed", ERROR)], "the migration Job failed"),
    "no such commit": ([picks_up, fails("no_such_revision")], "failed before any migration"),
    "terminated, and the row says Succeeded": ([picks_up, fails("terminated")], "the operation was terminated"),
    "past its deadline": ([picks_up, fails("past_deadline")], "active longer than specified deadline"),
    "the rollout failed": ([picks_up, fails_elsewhere(LOGS)], "the database is migrated, the application is not"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_did_not_go_well_is_never_a_success(yard: Yard, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    acts, says = BAD[name]
    said = failed(yard, monkeypatch, *acts)
    assert says in said
    assert "→ " in said
    assert answer(yard, monkeypatch) is not True or name == "overtaken by a run"


@pytest.mark.parametrize(
    "reason", ["ImagePullBackOff", "ErrImagePull", "InvalidImageName", "CreateContainerConfigError"]
)
def test_a_pod_that_does_not_start_ends_early_and_so_does_our_operation(
    yard: Yard, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = failed(yard, monkeypatch, picks_up, waits(reason))
    assert f"the pod of the migration does not start. shop-migrate-pod: {reason}: it is {reason}" in said
    assert "it was ended, and nothing of it runs" in said
    assert asked(yard.world, "DELETE") == 1
    assert "operation" not in yard.world.applications["shop-dev"]


def unscheduled(world: World, name: str) -> None:
    waits("")(world, name)
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}
    world.pods["shop-migrate-pod"]["status"]["conditions"] = [condition]


def over_quota(world: World, name: str) -> None:
    waits("")(world, name)
    world.pods.clear()
    world.jobs["shop-migrate"]["status"] = {}
    world.events = [{"reason": "FailedCreate", "message": "pods is forbidden: exceeded quota: small"}]


@pytest.mark.parametrize(("act", "says"), [(unscheduled, "0/3 nodes"), (over_quota, "exceeded quota: small")])
def test_a_pod_that_no_node_or_no_quota_takes_ends_early(
    yard: Yard, act: Act, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = failed(yard, monkeypatch, picks_up, act)
    assert says in said
    assert asked(yard.world, "DELETE") == 1


def test_a_pod_that_begins_in_the_end_is_left_to_run(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.sync.follow.STUCK", 30.0)
    done = sync(yard, monkeypatch, picks_up, waits("ErrImagePull"), waits("ImagePullBackOff"), prints(LOG), well(LOGS))
    assert done.summary.startswith("shop-dev is at")
    assert asked(yard.world, "DELETE") == 0


def test_what_may_have_begun_is_never_ended(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    said = failed(yard, monkeypatch, picks_up, waits("CrashLoopBackOff", restartCount=2))
    assert "CrashLoopBackOff" in said
    assert "is not killed" in said
    assert asked(yard.world, "DELETE") == 0


def test_a_pod_that_starts_at_the_last_moment_is_not_ended(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    acts = [picks_up, waits("ImagePullBackOff")]
    monkeypatch.setattr("tasks.sync.follow.STUCK", 0.0)
    said = failed(yard, monkeypatch, *acts, prints(LOG))
    assert "is not killed" in said
    assert asked(yard.world, "DELETE") == 0


def test_a_migration_that_runs_past_our_deadline_is_left_alone_and_taken_up_again(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.sync.follow.DEADLINE", 0.1)
    said = failed(yard, monkeypatch, picks_up, prints(LOG))
    assert "still runs after" in said
    assert "see docs/runbook.md#running" in said
    assert "doit sync:shop@dev   (takes it up again)" in said
    assert asked(yard.world, "DELETE") == 0
    monkeypatch.undo()
    assert sync(yard, monkeypatch, prints(LOG), prints(LOG), well(LOGS)).summary.startswith("shop-dev is at")
    assert len(yard.world.sent) == 1


def test_an_argo_cd_that_falls_silent_is_told_apart_from_an_end(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.sync.run.SILENCE", 0.05)

    def silent(world: World, name: str) -> None:
        prints(LOG)(world, name)
        world.faults.append(Fault(reset=True, on="GET"))

    assert "Argo CD is not heard any more" in failed(yard, monkeypatch, picks_up, silent)


def test_a_run_is_ended_on_request_only(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no run of ours is under way" in failed(yard, monkeypatch, stop="true")
    monkeypatch.setattr("tasks.sync.follow.DEADLINE", 0.1)
    failed(yard, monkeypatch, picks_up, prints(LOG))
    said = failed(yard, monkeypatch, stop="true")
    assert "was ended, as stop=true says" in said
    assert "see docs/runbook.md#terminated" in said
    assert asked(yard.world, "DELETE") == 1
    yard.world.look = None
    yard.world.applications["shop-dev"]["operation"] = {"initiatedBy": {"username": "alice"}, "sync": {}}
    assert "but one of alice" in failed(yard, monkeypatch, stop="true")
    assert asked(yard.world, "DELETE") == 1


@pytest.mark.parametrize(
    ("words", "looks"),
    [(("sync:shop@dev",), 4), (("sync:shop@dev",), 1), (("-a", "sync@dev"), 4)],
    ids=["alone", "alone, and it ends right after the first look", "beside another"],
)
def test_ctrl_c_detaches_and_the_next_run_takes_up_the_same_operation(
    yard: Yard, words: tuple[str, ...], looks: int
) -> None:
    acting(yard.world, [picks_up, prints(LOG.splitlines()[0])])
    begun = subprocess.Popen(
        yard.mono.command(*words),
        cwd=ROOT,
        env={**yard.mono.environment, **yard.variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while asked(yard.world, "GET applications/shop-dev/logs") < 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    begun.send_signal(signal.SIGINT)
    _, said = begun.communicate(timeout=60)
    assert begun.returncode == 128 + signal.SIGINT, said
    assert "detached from run" in said
    assert "→ doit sync:shop@dev" in said
    assert "Traceback" not in said
    assert asked(yard.world, "DELETE") == 0
    acting(yard.world, [*[prints(LOG)] * looks, well(LOGS)])
    done = yard.mono.fine("sync:shop@dev", **yard.variables)
    assert "taking up run" in done.stderr
    assert len(yard.world.sent) == 1
