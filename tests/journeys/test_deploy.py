"""`doit deploy`: image, promotion, sync and proof by one word, each only where it is not true already.

The registry, the remote and the database are real; Argo CD and the cluster are a stand-in.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.argocd_standin.controller import Act, acting, fails, picks_up, prints, well
from tests.argocd_standin.release import BEGUN, stamp
from tests.argocd_standin.server import World
from tests.journeys.conftest import counts, ran
from tests.journeys.protected import GOOD, Yard, fixture_model, fixture_yard, tag_of
from tests.playground import git

__all__ = ["fixture_model", "fixture_yard"]

LOG = """2026/11/23 04:56:47 OK   00003_c.sql (1.95ms)
2026/11/23 04:56:47 goose: successfully migrated database to version: 3
"""
LOGS = {"shop-migrate": LOG}
ROAD = ["image:shop", "promote:shop@dev", "sync:shop@dev", "verify:shop@dev"]


@pytest.fixture(autouse=True)
def _third(yard: Yard) -> None:
    """A third migration is merged."""
    root = yard.mono.root
    (yard.mono.folder("shop") / "00003_c.sql").write_text(GOOD.format("c"))
    yard.mono.commit()
    git(root, "push", "--quiet", "origin", "main")


def migrates(yard: Yard) -> Act:
    """The Job has run: the database has the third version."""

    def act(world: World, name: str) -> None:
        prints(LOG)(world, name)
        yard.sql("INSERT INTO goose_db_version (version_id, is_applied) VALUES (3, true)")

    return act


def test_a_merged_migration_goes_all_the_way_and_again_only_the_proof_is_made(yard: Yard) -> None:
    before = yard.image
    acting(yard.world, [picks_up, migrates(yard), well(LOGS)])
    done = yard.mono.fine("deploy:shop@dev", **yard.variables)
    assert [name for name in ran(done) if name in ROAD] == ROAD
    assert "verified: 3 versions of " in done.stderr
    assert yard.there("dev") != before
    assert len(yard.world.sent) == 1
    yard.world.sent.clear()
    yard.world.asked.clear()
    again = yard.mono.fine("deploy:shop@dev", **yard.variables)
    assert [name for name in ran(again) if name in ROAD] == ["verify:shop@dev"]
    assert yard.world.sent == []
    assert len(yard.world.asked) == 5, "one request a fact"
    yard.sql("DELETE FROM goose_db_version WHERE version_id = 3")
    acting(yard.world, [fails("hook_failed", "goose run: ERROR 00003_c.sql: no")])
    assert "verified:" not in yard.mono.doit("deploy:shop@dev", **yard.variables).stderr


def test_the_log_of_an_earlier_job_of_the_same_name_is_not_shown_as_this_ones(yard: Yard) -> None:
    """Argo CD deletes it only when its own hook begins."""
    for job in yard.world.jobs.values():
        job["metadata"]["creationTimestamp"] = stamp(BEGUN - timedelta(hours=1))
    acting(yard.world, [picks_up, picks_up, migrates(yard), well(LOGS)])
    done = yard.mono.fine("deploy:shop@dev", **yard.variables)
    assert "  shop-migrate: 2026/11/23 04:56:47 OK   00003_c.sql" in done.stderr
    assert "00001_a.sql (1.95ms)" not in done.stderr


def test_a_migration_that_fails_ends_the_deploy_and_nothing_is_called_verified(yard: Yard) -> None:
    acting(yard.world, [picks_up, prints(""), fails("hook_failed", "goose run: ERROR 00003_c.sql: no")])
    done = yard.mono.doit("deploy:shop@dev", **yard.variables)
    assert done.returncode == 1
    assert "verified:" not in done.stderr
    assert "verify:shop@dev" not in ran(done)
    assert counts(done)[2] >= 1


def test_two_deploys_of_one_service_at_once_make_one_release_of_it(yard: Yard) -> None:
    """Whoever comes second waits, or takes up what the first has begun: both end with the proof of one operation."""
    acting(yard.world, [picks_up, migrates(yard), well(LOGS)])
    taken = yard.world.taken
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: yard.mono.doit("deploy:shop@dev", **yard.variables), range(2)))
    for done in both:
        assert done.returncode == 0, done.stderr
        assert "verified: 3 versions of " in done.stderr
    assert yard.world.taken == taken + 1
    promotions = git(yard.remote, "log", "--format=%s", "main", "--", "services/shop/values-dev.yaml").splitlines()
    assert len([one for one in promotions if tag_of(yard.there("dev")) in one]) == 1
