"""What would have `doit verify` say verified without a look: flags, files of state, clocks, and what is not set."""

from __future__ import annotations

import time
from datetime import datetime, tzinfo
from pathlib import Path

import pytest

from schemas.errors import NotVerified
from tests.journeys.conftest import copied
from tests.journeys.wrong import job_stale
from tests.journeys.yard import Yard, fixture_well, fixture_yard

__all__ = ["fixture_well", "fixture_yard"]


@pytest.mark.parametrize("words", [("-s",), ("--continue",), ("-a",)])
def test_no_flag_of_doit_verifies(yard: Yard, words: tuple[str, ...]) -> None:
    yard.sql("DELETE FROM goose_db_version WHERE version_id = 2")
    done = yard.mono.doit("run", *words, "verify:shop@dev", **yard.variables)
    assert done.returncode == 1
    assert "failed: the database is behind the release. it lacks 00002_b.sql" in done.stderr


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
def test_the_clock_of_this_machine_changes_nothing(yard: Yard, hours: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Clock:
            return cls.fromtimestamp(time.time() + hours * 3600, tz)

    for module in ("gather", "run"):
        monkeypatch.setattr(f"tasks.verify.{module}.datetime", Clock)
    assert yard.verify(monkeypatch).summary.startswith("verified")
    job_stale(yard.place)
    with pytest.raises(NotVerified):
        yard.verify(monkeypatch)
