"""An Argo CD and a cluster that misbehave in every way that has a name: what `doit sync` and `doit verify` say of it.

One release a fault, beside one that nothing is done to: all of them synced by one command, and verified by another.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.argocd_standin.server import TOKEN
from tests.journeys.conftest import Monorepo, answer, ran
from tests.journeys.faults import FAULTS, Misdeed
from tests.journeys.fleet import Fleet, fleet

WELL = "all-well"
NAMED = {  # what a release is to be proof against, whatever else the table has
    *("connection-reset", "status-401", "status-403", "status-400-code-9", "status-409", "status-429", "status-500"),
    *("status-503", "slow", "truncated-json", "operation-vanished", "operation-overtaken", "controller-gone"),
    *("hook-skipped", "job-of-an-earlier-sync", "another-image", "pod-evicted", "log-rotated", "log-empty"),
    *("log-says-error", "job-deleted-after-sync", "clock-an-hour-off"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What both commands said, of each service."""

    synced: subprocess.CompletedProcess[str]
    verified: subprocess.CompletedProcess[str]
    evidence: dict[str, Any]
    sent: dict[str, int]  # requests for a sync that Argo CD took


@pytest.fixture(scope="module", name="walk")
def fixture_walk(empty_server: Monorepo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    with fleet(empty_server, tmp_path_factory.mktemp("faults"), [WELL, *FAULTS]) as site:
        nothing = Misdeed(verdict="verified", todo="")
        misdeeds = {WELL: nothing, **FAULTS}
        for name, misdeed in misdeeds.items():
            misdeed.before_sync(site.places[name])
        synced = typed(site, "sync:*@dev")
        for name, misdeed in misdeeds.items():
            misdeed.before_verify(site.places[name])
        verified = typed(site, "verify:*@dev", f"evidence={site.mono.root}/kept")
        for name, misdeed in misdeeds.items():
            misdeed.over(site.places[name])
        documents = [json.loads(file.read_text()) for file in (site.mono.root / "kept").iterdir()]
        yield Walk(
            synced=synced,
            verified=verified,
            evidence={one["service"]: one for one in documents},
            sent={name: len(place.world.sent) for name, place in site.places.items()},
        )


def typed(site: Fleet, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, with waits that are short."""
    command = [sys.executable, "-W", "error", "-m", "tests.hurried", "0", "run", "--continue", *words]
    done = answer(command, {**site.mono.environment, **site.variables()})
    assert TOKEN not in done.stdout + done.stderr
    assert done.returncode == 1
    return done


def said(done: subprocess.CompletedProcess[str], verb: str) -> dict[str, str]:
    """What was said of each that did not go well, by service."""
    return dict(re.findall(rf"^✗ {verb}:(\S+)@dev +failed .*\n((?:  .*\n)+)", done.stderr, re.MULTILINE))


def test_each_fault_that_has_a_name_is_there_and_was_met(walk: Walk) -> None:
    assert walk.evidence
    assert set(FAULTS) >= NAMED
    assert len(NAMED) >= 20
    assert [name for name, one in FAULTS.items() if not one.hits] == []


def test_nothing_but_the_release_that_met_none_is_verified(walk: Walk) -> None:
    assert ran(walk.verified) == [f"verify:{WELL}@dev"]
    assert [name for name, one in walk.evidence.items() if one["verified"]] == [WELL]
    assert set(walk.evidence) == {WELL, *FAULTS}


@pytest.mark.parametrize("name", FAULTS)
def test_a_sync_that_meets_a_fault_ends_as_it_is_to_end_and_runs_once(name: str, walk: Walk) -> None:
    fault, failed = FAULTS[name], said(walk.synced, "sync")
    assert (name in failed) is bool(fault.says), failed.get(name, walk.synced.stderr)
    assert walk.sent[name] == (0 if fault.asked and fault.says else 1)
    if not fault.says:
        assert f"sync:{name}@dev" in ran(walk.synced)
        return
    assert fault.says in failed[name]
    assert f"→ {fault.next.format(name)}" in failed[name]


@pytest.mark.parametrize("name", FAULTS)
def test_the_verdict_on_a_release_that_met_a_fault_says_what_to_type(name: str, walk: Walk) -> None:
    fault, failed = FAULTS[name], said(walk.verified, "verify")
    assert walk.evidence[name]["verdict"] == fault.verdict
    assert f"docs/runbook.md#{fault.verdict}" in failed[name]
    first = failed[name].partition("→ ")[2]
    assert first.startswith(fault.todo.format(name)), failed[name]
