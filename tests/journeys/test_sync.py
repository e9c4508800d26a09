"""`doit sync` with a real remote and a real database; Argo CD and its controller are a stand-in that can lie."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from schemas import catalog_file
from schemas.application import IMAGE, RUN
from schemas.errors import ArgoError, GanderError, NotVerified, Refused
from schemas.target import Target
from tasks.sync.run import run
from tasks.sync.standing import up_to_date
from tasks.verify.looks import looks
from tasks.work import Outcome, Session, Work
from tests.argocd_standin.controller import Act, acting, fails, fails_elsewhere, picks_up, prints, waits, well
from tests.argocd_standin.release import released
from tests.argocd_standin.server import TOKEN, Fault, World, recorded
from tests.journeys.conftest import ROOT
from tests.journeys.wrong import LOG
from tests.journeys.yard import Yard, fixture_yard
from tests.playground import git

__all__ = ["fixture_yard"]

LOGS = {"shop-migrate": LOG}
ERROR = (
    "2026/11/23 04:56:47 goose run: ERROR 00002_b.sql: failed to run SQL migration: boom: ERROR: no (SQLSTATE 42601)"
)


@pytest.fixture(autouse=True)
def _fresh(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An Application that was never synced, and looks that follow each other quickly."""
    yard.well()
    world = yard.world
    found = recorded("never_synced")
    found["metadata"]["name"] = "shop-dev"
    found["status"].pop("operationState", None)
    world.applications["shop-dev"] = found
    world.sent.clear()
    for held in (world.jobs, world.pods, world.logs, world.events):
        held.clear()
    world.windows = {"canSync": True}
    monkeypatch.setattr("tasks.sync.watch.GLANCE", 0.01)
    monkeypatch.setattr("tools.patience.Patience._delay", lambda *_: 0.0)
    for name in ("STUCK", "UNSCHEDULED", "PICKUP", "SETTLE"):
        monkeypatch.setattr(f"tasks.sync.follow.{name}", 0.1)
    yield
    world.look = None


def work(yard: Yard, monkeypatch: pytest.MonkeyPatch, **variables: str) -> Work:
    """What a run would give the step."""
    for name, value in yard.variables.items():
        monkeypatch.setenv(name, value)
    catalog = catalog_file.load(yard.mono.root / "services.yaml", None)
    yard.said.lines.clear()
    return Work(
        catalog=catalog,
        targets=(Target(step="sync", service="shop", environment="dev"),),
        variables=variables,
        session=Session(catalog, yard.said.line),
        progress=yard.said,
        out=yard.said.line,
    )


def sync(yard: Yard, monkeypatch: pytest.MonkeyPatch, *acts: Act, **variables: str) -> Outcome:
    """Sync, with a controller that does that."""
    if acts:
        acting(yard.world, acts)
    one = work(yard, monkeypatch, **variables)
    try:
        return run(one)
    finally:
        one.session.close()


def failed(yard: Yard, monkeypatch: pytest.MonkeyPatch, *acts: Act, **variables: str) -> str:
    """The words of a sync that must not end well."""
    with pytest.raises((NotVerified, Refused, ArgoError)) as caught:
        sync(yard, monkeypatch, *acts, **variables)
    assert TOKEN not in str(caught.value) + "".join(yard.said.lines)
    return str(caught.value)


def asked(world: World, what: str) -> int:
    return sum(one.startswith(what) for one in world.asked)


def test_a_release_is_rolled_out_by_its_commit_and_is_up_to_date_then(yard: Yard) -> None:
    acting(yard.world, [picks_up, prints(LOG.splitlines()[0]), prints(LOG), well(LOGS)])
    done = yard.mono.fine("sync:shop@dev", **yard.variables)
    (sent,) = yard.world.sent
    assert (sent["revision"], sent["strategy"], sent["prune"]) == (yard.promoted, {"hook": {}}, False)
    assert "resources" not in sent
    told = {one["name"]: one["value"] for one in sent["infos"]}
    assert told[IMAGE] == yard.image
    assert f"run {told[RUN]}" in done.stderr
    assert "Running: waiting for completion of hook batch/Job/shop-migrate; pod shop-migrate-pod Running" in done.stderr
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


def rolled_out(yard: Yard, **more: Any) -> None:
    """The last operation brought the release."""
    source = {"source": yard.world.applications["shop-dev"]["spec"]["source"]}
    released(yard.world, "shop-dev", image=yard.image, revision=yard.promoted, logs=LOGS)
    state = yard.world.state("shop-dev")
    yard.world.applications["shop-dev"]["spec"] |= source
    state["syncResult"] |= source
    state |= more


def answer(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> bool | None:
    one = work(yard, monkeypatch)
    try:
        return up_to_date([one])["sync:shop@dev"].up_to_date
    finally:
        one.session.close()


def test_what_is_rolled_out_is_up_to_date_without_any_state_of_ours(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    rolled_out(yard)
    assert answer(yard, monkeypatch) is True


def changed(world: World, key: str) -> None:
    application, state = world.applications["shop-dev"], world.state("shop-dev")
    hook = next(row for row in state["syncResult"]["resources"] if row["kind"] == "Job")
    changes: dict[str, Any] = {
        "an operation runs": lambda: application.update(operation={"sync": {}}),
        "automated sync": lambda: application["spec"].update(syncPolicy={"automated": {}}),
        "nobody's operation": lambda: state["operation"].update(info=[]),
        "it failed": lambda: state.update(phase="Failed"),
        "it is not over": lambda: state.pop("finishedAt"),
        "it was partial": lambda: state["operation"]["sync"].update(resources=[{"kind": "Job", "name": "x"}]),
        "another image was meant": lambda: state["operation"]["info"][1].update(value="other"),
        "another commit": lambda: state["syncResult"].update(revision="f" * 40),
        "another source": lambda: application["spec"].update(source={"path": "elsewhere"}),
        "the hook is not there": lambda: hook.update(kind="Pod"),
        "the hook failed": lambda: hook.update(hookPhase="Failed"),
        "the hook was deleted": lambda: hook.update(message="Deleted"),
        "the Job is gone": world.jobs.clear,
        "the Job is of another image": lambda: world.jobs["shop-migrate"]["spec"]["template"]["spec"].update(
            containers=[]
        ),
        "the Job is older": lambda: world.jobs["shop-migrate"]["metadata"].update(
            creationTimestamp="2026-01-01T00:00:00Z"
        ),
        "the Job failed": lambda: world.jobs["shop-migrate"].update(status={}),
        "its pods are gone": world.pods.clear,
        "its log is gone": world.logs.clear,
        "nothing is known": world.applications.clear,
    }
    changes[key]()


@pytest.mark.parametrize(
    "key",
    [
        *("an operation runs", "automated sync", "nobody's operation", "it failed", "it is not over", "it was partial"),
        *("another image was meant", "another commit", "another source", "the hook is not there", "the hook failed"),
        *("the hook was deleted", "the Job is gone", "the Job is of another image", "the Job is older"),
        *("the Job failed", "its pods are gone", "its log is gone", "nothing is known"),
    ],
)
def test_what_is_otherwise_in_one_thing_is_not_up_to_date(
    yard: Yard, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rolled_out(yard)
    changed(yard.world, key)
    assert answer(yard, monkeypatch) is not True


def test_a_database_that_was_rolled_back_by_hand_is_synced_again(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    rolled_out(yard)
    yard.sql("DELETE FROM goose_db_version WHERE version_id = 2")
    assert answer(yard, monkeypatch) is False


def test_an_error_of_ours_is_worded(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    yard.world.applications.clear()
    with pytest.raises(GanderError, match="does not allow it, or has no Application shop-dev"):
        sync(yard, monkeypatch)
