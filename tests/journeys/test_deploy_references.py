"""A service that reads another one's database is released only beside what its commit has for that database.

The registry, the remote and dev's database are real; Argo CD and the cluster are a stand-in.
"""

from __future__ import annotations

import pytest

from tests.argocd_standin.release import released
from tests.journeys.protected import GOOD, VALUES, Yard, fixture_model, fixture_yard
from tests.playground import git

__all__ = ["fixture_model", "fixture_yard"]

TILL = "  till: {databases: {main: {engine: postgres, name: {dev: till_dev, prod: till}}, shop: {owner: shop/main}}}\n"
LACKS = "shop/main@dev, which till reads, lacks 00003_c.sql"


@pytest.fixture(autouse=True)
def _till(yard: Yard) -> None:
    """A service that reads shop's database is merged, and with it a third migration of shop."""
    root = yard.mono.root
    with (root / "services.yaml").open("a") as file:
        file.write(TILL)
    folder = root / "services" / "till" / "migrations"
    folder.mkdir(parents=True)
    (folder / "00001_a.sql").write_text(GOOD.format("a"))
    (folder.parent / "values-dev.yaml").write_text(VALUES)
    (yard.mono.folder("shop") / "00003_c.sql").write_text(GOOD.format("c"))
    yard.mono.commit()
    git(root, "push", "--quiet", "origin", "main")
    released(yard.world, "till-dev", image="none", revision="0" * 40, logs={"till-migrate": ""})
    yard.world.sent.clear()


def there(yard: Yard) -> str:
    return git(yard.remote, "show", "main:services/till/values-dev.yaml")


def third(yard: Yard) -> None:
    yard.sql("INSERT INTO goose_db_version (version_id, is_applied) VALUES (3, true)")


@pytest.mark.parametrize("word", ["promote:till@dev", "deploy:till@dev"])
def test_before_the_owner_is_released_nothing_is_promoted(yard: Yard, word: str) -> None:
    said = yard.refused(word)
    assert LACKS in said
    assert "has them, and till may count on them" in said
    assert "→ doit deploy:shop@dev" in said
    assert "→ then doit promote:till@dev" in said
    assert there(yard) == VALUES


def test_after_it_the_release_goes_on_and_a_database_that_was_taken_back_since_stops_its_sync(yard: Yard) -> None:
    third(yard)
    yard.mono.fine("promote:till@dev", **yard.variables)
    assert there(yard) != VALUES
    yard.sql("DELETE FROM goose_db_version WHERE version_id = 3")
    done = yard.mono.doit("sync:till@dev", **yard.variables)
    assert done.returncode == 1
    assert LACKS in done.stderr
    assert "→ then doit sync:till@dev" in done.stderr
    assert yard.world.sent == []


@pytest.mark.parametrize("word", ["promote:till@dev", "deploy:till@dev"])
def test_beside_a_database_that_nobody_can_look_at_nothing_goes_out(yard: Yard, word: str) -> None:
    third(yard)
    variables = {"SHOP_TOKEN": yard.variables["SHOP_TOKEN"]}
    done = yard.mono.doit(word, **variables)
    assert done.returncode == 1
    assert "shop/main@dev, which till reads, cannot be looked at: SHOP_MAIN_DEV_URL is not set" in done.stderr
    assert "→ export SHOP_MAIN_DEV_URL=" in done.stderr
    assert there(yard) == VALUES
    yard.mono.fine("promote:till@dev", **yard.variables)
    refused = yard.mono.doit("sync:till@dev", **variables)
    assert refused.returncode == 1
    assert "shop/main@dev, which till reads, cannot be looked at: SHOP_MAIN_DEV_URL is not set" in refused.stderr
    assert yard.world.sent == []


def test_a_history_in_another_table_is_nothing_to_build_on(yard: Yard) -> None:
    yard.sql("ALTER TABLE goose_db_version RENAME TO other_db_version")
    try:
        said = yard.refused("promote:till@dev")
    finally:
        yard.sql("ALTER TABLE other_db_version RENAME TO goose_db_version")
    assert "nobody can tell what shop/main@dev, which till reads, holds" in said
    assert "goose_db_version is missing, while the database holds other_db_version" in said
    assert "→ doit status:shop/main@dev" in said


def test_plan_says_beforehand_what_would_be_refused(yard: Yard) -> None:
    planned = yard.mono.doit("plan:till@dev", **yard.variables)
    assert f"note: {LACKS}: doit deploy:shop@dev" in planned.stdout
    third(yard)
    assert "which till reads" not in yard.mono.doit("plan:till@dev", **yard.variables).stdout
