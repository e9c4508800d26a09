"""When a release is rolled out already: the world says so, and no state of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from schemas import catalog_file
from schemas.catalog import Catalog
from schemas.errors import GanderError
from tests.argocd_standin.controller import picks_up, well
from tests.argocd_standin.server import World
from tests.journeys.syncing import LOGS, answer, failed, fixture_fresh, rolled_out, sync
from tests.journeys.yard import Yard, fixture_yard

__all__ = ["fixture_fresh", "fixture_yard"]


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


UNSEEN = ("the Job is gone", "its pods are gone", "its log is gone")


def lax(monkeypatch: pytest.MonkeyPatch, *, protected: bool = False) -> None:
    """dev leaves out as much as can be."""
    read = catalog_file.load

    def load(path: Path, cache: Path | None = None) -> Catalog:
        made = read(path, cache)
        dev = made.environments["dev"]._replace(require=("operation", "hook"), protected=protected)
        return made._replace(environments={**made.environments, "dev": dev})

    monkeypatch.setattr(catalog_file, "load", load)


@pytest.mark.parametrize("key", [*UNSEEN, "the hook is not there", "the Job is older", "the Job failed"])
def test_what_the_environment_leaves_out_may_be_gone_and_not_otherwise(
    yard: Yard, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lax(monkeypatch)
    rolled_out(yard)
    changed(yard.world, key)
    assert (answer(yard, monkeypatch) is True) is (key in UNSEEN)


@pytest.mark.parametrize("key", UNSEEN)
def test_in_a_protected_environment_nothing_may_be_gone(yard: Yard, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lax(monkeypatch, protected=True)
    rolled_out(yard)
    changed(yard.world, key)
    assert answer(yard, monkeypatch) is not True


def test_a_sync_whose_job_is_taken_away_at_once_ends_well_where_it_is_left_out(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(world: World, name: str) -> None:
        well(LOGS)(world, name)
        world.jobs.clear()

    assert "not proved: the Job cannot be looked at" in failed(yard, monkeypatch, picks_up, gone)
    lax(monkeypatch)
    done = sync(yard, monkeypatch, picks_up, gone)
    assert "the log of shop-migrate was not seen; to prove it: doit verify:shop@dev" in done.summary


def test_a_database_that_was_rolled_back_by_hand_is_synced_again(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    rolled_out(yard)
    yard.sql("DELETE FROM goose_db_version WHERE version_id = 2")
    assert answer(yard, monkeypatch) is False


def test_an_error_of_ours_is_worded(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    yard.world.applications.clear()
    with pytest.raises(GanderError, match="does not allow it, or has no Application shop-dev"):
        sync(yard, monkeypatch)
