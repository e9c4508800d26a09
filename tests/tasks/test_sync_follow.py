"""What one look at an operation comes to: go on, an end, or an end that may be made."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.application import Application, Request, State
from schemas.job import Container, Job, Pod
from tasks.sync.follow import Look, Memory, safe_to_end, shown, step
from tasks.verify.facts import Seen

CASES: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "cases/sync/follow.yaml").read_text())
BEGUN = datetime(2026, 11, 23, 5, tzinfo=UTC)
OURS = "run-1"


def request(run: str) -> Request:
    return Request(by="deployer", info=(("gander-run", run),))


def seen(case: dict[str, Any]) -> Look:
    """The look of a case."""
    state = None
    if "phase" in case:
        state = State(
            request=request(case["run"]),
            phase=case["phase"],
            message="as it says",
            started=BEGUN,
            finished=BEGUN if case.get("finished") else None,
            retries=case.get("retries", 0),
            synced=True,
            revisions=(),
            rows=(),
        )
    application = Application(
        name="shop-dev",
        uid="1",
        version="1",
        namespace="shop",
        automated=False,
        source=None,
        pending=request(case["pending"]) if "pending" in case else None,
        state=state,
        sync="",
        compared=(),
        health="",
        unwell=(),
        conditions=(),
        reconciled=None,
    )
    if "pods" not in case:
        return Look(application=application)
    made = BEGUN - timedelta(hours=1) if case.get("older") else BEGUN
    pods = tuple(pod(number, made, one, case) for number, one in enumerate(case["pods"]))
    active = case.get("active", sum(one.phase in {"Pending", "Running"} for one in pods))
    job = Job(
        name="shop-migrate",
        namespace="shop",
        uid="uid",
        created=made,
        deleted=False,
        complete=False,
        failed="",
        failures=0,
        active=active,
        images=(),
    )
    refused = {"shop-migrate": case["refused"]} if "refused" in case else {}
    return Look(application=application, jobs={"shop-migrate": Seen(job=job, pods=pods)}, refused=refused)


def pod(number: int, made: datetime, row: tuple[str, str, bool, bool], case: dict[str, Any]) -> Pod:
    phase, waiting, began, over = row
    container = Container(
        name="migrate", waiting=waiting, started=made if began else None, exit_code=1 if began and over else None
    )
    before = tuple(Container(name="before", **one) for one in case.get("before", ()))
    return Pod(
        name=f"pod-{number}",
        uid=f"pod-{number}",
        owner="uid",
        created=made,
        phase=phase,
        unscheduled=case.get("unscheduled", ""),
        before=before,
        containers=(container,),
    )


@pytest.mark.parametrize("name", CASES)
def test_what_comes_next_is_what_was_seen_for_so_long(name: str) -> None:
    case = CASES[name]
    look = seen(case)
    memory, first = step(Memory(run=OURS, begun=0.0, taken=case.get("taken", False)), look, 0.0)
    assert first.what in {"on", "ended"}
    _, then = step(memory, look, float(case["for"]))
    assert then.what == case["what"]
    assert safe_to_end(look) is case.get("ends", False)
    assert shown(look)


def test_what_was_odd_for_a_while_and_is_well_again_begins_anew() -> None:
    stuck = seen(CASES["an image that cannot be pulled"])
    fine = seen(CASES["an operation of ours that waits for its hook goes on for minutes"])
    memory, _ = step(Memory(run=OURS, begun=0.0), stuck, 0.0)
    memory, _ = step(memory, fine, 20.0)
    memory, now = step(memory, stuck, 40.0)
    assert now.what == "on"
    _, now = step(memory, stuck, 71.0)
    assert now.what == "stuck"
    assert "ImagePullBackOff" in now.says


def test_two_reasons_of_one_kind_add_up() -> None:
    look = seen(CASES["an image that cannot be pulled"])
    memory, _ = step(Memory(run=OURS, begun=0.0), look, 0.0)
    assert look.jobs is not None
    job = look.jobs["shop-migrate"]
    other = replace(job.pods[0], containers=(replace(job.pods[0].containers[0], waiting="ErrImagePull"),))
    then = replace(look, jobs={"shop-migrate": replace(job, pods=(other,))})
    assert step(memory, then, 31.0)[1].what == "stuck"


def test_what_was_seen_once_and_is_gone_was_overtaken_and_not_left_untaken() -> None:
    memory, _ = step(Memory(run=OURS, begun=0.0), seen({"pending": OURS}), 0.0)
    memory, _ = step(memory, seen({}), 1.0)
    assert step(memory, seen({}), 12.0)[1].what == "overtaken"
