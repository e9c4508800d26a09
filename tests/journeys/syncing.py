"""What tests of `doit sync` share: an Application that was never synced, a step that syncs it, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from schemas import catalog_file
from schemas.errors import ArgoError, NotVerified, Refused
from schemas.target import Target
from tasks.sync.run import run
from tasks.sync.standing import up_to_date
from tasks.work import Outcome, Session, Work
from tests.argocd_standin.controller import Act, acting
from tests.argocd_standin.release import released
from tests.argocd_standin.server import TOKEN, World, recorded
from tests.journeys.wrong import LOG
from tests.journeys.yard import Yard

__all__ = ["ERROR", "LOGS", "answer", "asked", "failed", "fixture_fresh", "rolled_out", "sync", "work"]

LOGS = {"shop-migrate": LOG}
ERROR = (
    "2026/11/23 04:56:47 goose run: ERROR 00002_b.sql: failed to run SQL migration: boom: ERROR: no (SQLSTATE 42601)"
)


@pytest.fixture(autouse=True, name="fresh")
def fixture_fresh(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
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
