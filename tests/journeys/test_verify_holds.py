"""What would have `doit verify` say verified without a look: flags, files of state, clocks, and what is not set."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.journeys.conftest import ROOT, copied
from tests.journeys.wrong import job_stale, log_wrong
from tests.journeys.yard import Yard, fixture_well, fixture_yard

__all__ = ["fixture_well", "fixture_yard"]


@pytest.mark.parametrize("words", [("-s",), ("--continue",), ("-a",), ("-s", "--continue", "-a")])
def test_no_flag_of_doit_verifies(yard: Yard, words: tuple[str, ...]) -> None:
    yard.mono.fine("verify:shop@dev", **yard.variables)
    yard.sql("DELETE FROM goose_db_version WHERE version_id = 2")
    done = yard.mono.doit("run", *words, "verify:shop@dev", **yard.variables)
    assert done.returncode == 1
    assert "failed: the database is behind the release. it lacks 00002_b.sql" in done.stderr
    assert "verified:" not in done.stderr


@pytest.mark.parametrize("command", ["ignore", "reset-dep", "forget"])
def test_no_command_of_doit_on_what_it_remembers_verifies(yard: Yard, command: str) -> None:
    yard.mono.fine("verify:shop@dev", **yard.variables)
    log_wrong(yard.place)
    told = yard.mono.doit(command, "verify:shop@dev", **yard.variables)
    done = yard.mono.doit("verify:shop@dev", **yard.variables)
    assert done.returncode == 1
    assert "failed: goose reports an error though" in done.stderr
    assert "verified:" not in told.stderr + done.stderr


def test_a_run_that_goes_on_after_a_failure_verifies_nothing_that_needs_it(yard: Yard) -> None:
    application = yard.world.applications["shop-dev"]
    application["spec"]["syncPolicy"] = {"automated": {}}
    done = yard.mono.doit("run", "--continue", "sync:shop@dev", "verify:shop@dev", **yard.variables)
    assert done.returncode == 1
    assert "automated sync on" in done.stderr
    assert "not run: what it needs has failed" in done.stderr
    assert "verified:" not in done.stderr


def test_a_state_of_another_machine_verifies_nothing(yard: Yard, tmp_path: Path) -> None:
    yard.mono.fine("verify:shop@dev", **yard.variables)
    copy = copied(yard.mono, tmp_path / "copy")
    assert (copy.state / "state.db").exists()
    del yard.world.applications["shop-dev"]
    done = copy.doit("verify:shop@dev", **yard.variables)
    assert done.returncode == 1
    assert "not proved: Argo CD was not heard." in done.stderr
    assert copy.doit("ignore", "verify:shop@dev").returncode != 0


@pytest.mark.parametrize(
    ("lacking", "says"),
    [
        ("SHOP_TOKEN", r"SHOP_TOKEN is not set"),
        ("SHOP_MAIN_DEV_URL", "not proved: the database was not checked. SHOP_MAIN_DEV_URL is not set"),
    ],
)
def test_without_a_token_or_a_url_nothing_is_verified(yard: Yard, lacking: str, says: str, tmp_path: Path) -> None:
    variables = {**yard.variables, "HOME": str(tmp_path)}
    del variables[lacking]
    done = yard.mono.doit("verify:shop@dev", **variables)
    assert done.returncode == 1
    assert says in done.stderr


@pytest.mark.parametrize("hours", [-1, 1, 24 * 365])
def test_the_clock_of_this_machine_changes_nothing(yard: Yard, hours: int) -> None:
    done = clocked(yard, hours)
    assert done.returncode == 0, done.stderr
    looked = datetime.fromisoformat(json.loads(done.stdout)["at"])
    assert abs(looked - datetime.now(UTC) - timedelta(hours=hours)) < timedelta(minutes=10)
    assert "verified: 2 versions" in done.stderr
    job_stale(yard.place)
    for each in (hours, 0):
        done = clocked(yard, each)
        assert done.returncode == 1
        assert "not proved: the Job is not of this operation" in done.stderr


def clocked(yard: Yard, hours: int) -> subprocess.CompletedProcess[str]:
    """Verify on a machine whose clock is that far off."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.hurried", str(hours * 3600), "verify:shop@dev", "format=json"],
        cwd=ROOT,
        env={**yard.mono.environment, **yard.variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
