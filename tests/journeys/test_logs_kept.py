"""What a Job printed outlives it on the machine that looked: for people, while nothing is proved by it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.argocd_standin.controller import acting, fails, picks_up, prints, well
from tests.argocd_standin.server import World
from tests.journeys.syncing import ERROR, LOGS, failed, fixture_fresh, rolled_out, sync
from tests.journeys.yard import Yard, fixture_yard

__all__ = ["fixture_fresh", "fixture_yard"]


def kept(yard: Yard) -> list[Path]:
    return sorted((yard.mono.root / ".state" / "logs" / "shop@dev").glob("*.json"))


@pytest.fixture(autouse=True)
def empty(yard: Yard) -> None:
    for file in kept(yard):
        file.unlink()


def lost(yard: Yard) -> str:
    """What `doit logs` shows of a Job that is not there."""
    yard.world.jobs.clear()
    done = yard.mono.doit("logs:shop@dev", **yard.variables)
    assert done.returncode == 1
    assert "Job auth/shop-migrate: not there" in done.stdout
    return done.stdout


def test_the_log_of_a_failed_sync_is_kept_with_uid_pod_start_and_image(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed(yard, monkeypatch, picks_up, prints(ERROR), fails("hook_failed", ERROR))
    shown = lost(yard)
    assert "kept on this machine, of Job uid-of-this, made 2026-11-23T04:56:46+00:00:" in shown
    digest = yard.image.partition("@")[2]
    (line,) = [line for line in shown.splitlines() if "pod shop-migrate-pod" in line]
    assert "made 2026-11-23T04:56:46+00:00" in line
    assert line.endswith(digest)
    assert "goose run: ERROR 00002_b.sql" in shown


def test_the_log_of_whatever_ran_before_is_kept_before_the_next_sync_deletes_it(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    rolled_out(yard)
    yard.world.logs["shop-migrate-xrun-1"] = "2026/11/23 04:56:47 goose run: ERROR 00001_a.sql: by a colleague"

    def gone(world: World, name: str) -> None:
        world.logs.clear()
        picks_up(world, name)

    acting(yard.world, [gone, well(LOGS)])
    sync(yard, monkeypatch)
    assert ["by a colleague" in file.read_text() for file in kept(yard)].count(True) == 1
    assert len(kept(yard)) == 2


def test_what_is_kept_proves_nothing_and_what_is_seen_later_takes_nothing_away(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(yard, monkeypatch, picks_up, well(LOGS))
    yard.mono.fine("verify:shop@dev", **yard.variables)
    before = [file.read_bytes() for file in kept(yard)]
    (document,) = map(json.loads, before)
    assert (document["over"], [pod["log"] for pod in document["pods"]]) == (True, [LOGS["shop-migrate"].strip()])
    yard.world.logs.clear()
    done = yard.mono.doit("verify:shop@dev", **yard.variables)
    assert (done.returncode, "log is not there, or not whole" in done.stderr) == (1, True)
    assert [file.read_bytes() for file in kept(yard)] == before
    lost(yard)
    done = yard.mono.doit("verify:shop@dev", **yard.variables)
    assert (done.returncode, "the Job cannot be looked at" in done.stderr) == (1, True)


def test_a_kept_file_that_is_none_of_ours_is_passed_over(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    sync(yard, monkeypatch, picks_up, well(LOGS))
    (file,) = kept(yard)
    for text in ("{", "[]", '{"pods": 1}', '{"pods": [{"images": [1]}]}', '{"over": true, "pods": [{}]}'):
        file.with_name("shop-migrate-29990101T000000Z-x.json").write_text(text)
        assert "2026/11/23 04:56:47 OK   00001_a.sql" in lost(yard)


def test_only_the_newest_are_kept(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.verify.kept.LAST", 2)
    for number in range(3):
        sync(yard, monkeypatch, picks_up, well({"shop-migrate": LOGS["shop-migrate"] + f"{number}\n"}))
    assert len(kept(yard)) == 2


def test_where_nothing_can_be_kept_the_sync_goes_on_and_says_so(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = yard.mono.root / ".state" / "logs"
    folder.rename(folder.with_name("aside")) if folder.exists() else None
    folder.write_text("in the way")
    try:
        assert sync(yard, monkeypatch, picks_up, well(LOGS)).summary.startswith("shop-dev is at")
        assert any("the log of Job shop-migrate is not kept: " in line for line in yard.said.lines)
    finally:
        folder.unlink()
