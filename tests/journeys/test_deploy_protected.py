"""`doit deploy` and `doit sync` to prod: only what dev has verified, only what somebody has confirmed, each time anew.

The registry, the remote and both databases are real; Argo CD and the clusters are a stand-in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy

import psycopg
import pytest

from tests.argocd_standin.controller import acting, picks_up, prints, well
from tests.argocd_standin.release import released
from tests.argocd_standin.server import World
from tests.journeys.conftest import counts, ran, typed
from tests.journeys.protected import LOG, YES, Yard, fixture_model, fixture_yard, tag_of
from tests.playground import git

__all__ = ["fixture_model", "fixture_yard"]

LOGS = {"shop-migrate": LOG}
ROAD = ["promote:shop@prod", "sync:shop@prod", "verify:shop@prod"]
TABLE = (
    "CREATE TABLE goose_db_version (id SERIAL, version_id BIGINT, is_applied BOOLEAN, tstamp TIMESTAMP DEFAULT now())"
)


class Prod:
    """A yard whose prod has an Application that was never synced, and an empty database."""

    def __init__(self, yard: Yard, url: str) -> None:
        self.yard, self.url = yard, url
        self.variables = {**yard.variables, "SHOP_MAIN_PROD_URL": url}

    def new(self) -> None:
        """As on the first day."""
        held = self.yard.world
        kept = deepcopy((held.jobs, held.pods, held.logs))
        released(held, "shop-prod", image="none", revision="0" * 40, logs=LOGS)
        del held.applications["shop-prod"]["status"]["operationState"]
        held.jobs, held.pods, held.logs = kept
        held.sent.clear()
        acting(held, [picks_up, self.migrates, well(LOGS)])

    def migrates(self, world: World, name: str) -> None:
        """The Job has run: the database has both versions."""
        prints(LOG)(world, name)
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(TABLE.encode())
            connection.execute(
                "INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (1, true), (2, true)"
            )

    def refused(self, *words: str) -> str:
        """What a command says that must not succeed, after which Argo CD was asked for nothing."""
        done = self.yard.mono.doit(*words, **self.variables)
        assert done.returncode == 1, done.stderr
        assert self.yard.world.sent == []
        return done.stderr

    def at_first_look(self, happens: Callable[[], None]) -> None:
        """Have something happen when the Application of dev is looked at for the first time."""
        acts, looks = self.yard.world.look, []

        def look(world: World, name: str) -> None:
            if name == "shop-dev":
                looks.append(name)
                if len(looks) == 1:
                    happens()
            elif acts:
                acts(world, name)

        self.yard.world.look = look


@pytest.fixture(name="prod")
def fixture_prod(yard: Yard) -> Iterator[Prod]:
    listed = yard.mono.root / "services.yaml"
    argocd = f'argocd: {{application: "{{service}}-prod", server: "{yard.world.url}", token_env: SHOP_TOKEN}}'
    listed.write_text(
        listed.read_text().replace("    after: dev\n", f"    after: dev\n    namespace: auth\n    {argocd}\n")
    )
    name = "shop"
    with psycopg.connect(yard.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    try:
        made = Prod(yard, yard.url.replace("shop_main", name))
        made.new()
        yield made
    finally:
        with psycopg.connect(yard.url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_one_word_and_one_answer_release_what_dev_has_verified_and_again_only_the_proof_is_made(prod: Prod) -> None:
    yard = prod.yard
    code, shown = typed(yard.mono, ("deploy:shop@prod",), "Type prod to go on: ", "prod", **prod.variables)
    assert code == 0, shown
    assert shown.count("Type prod to go on: ") == 1
    assert f"then  {tag_of(yard.image)}, of {yard.of[:12]}" in shown
    assert f"dev has verified {tag_of(yard.image)}" in shown
    assert "verified: 2 versions of " in shown
    assert yard.there() == yard.image
    assert len(yard.world.sent) == 1
    yard.world.sent.clear()
    again = yard.mono.fine("deploy:shop@prod", **prod.variables)
    assert ran(again) == ["verify:shop@prod"]
    assert yard.world.sent == []


def test_ci_says_yes_and_what_stands_for_the_decision(prod: Prod) -> None:
    done = prod.yard.mono.fine("deploy:shop@prod", *YES, **prod.variables)
    assert [name for name in ran(done) if name in ROAD] == ROAD
    assert done.stderr.count("shop@prod, on origin/main at") == 1, "the plan, before it is written"
    assert prod.yard.trailer("Ref") == "CHG-7"


def test_before_dev_is_verified_nothing_is_promoted_and_nothing_is_synced(prod: Prod) -> None:
    prod.yard.taken_back()
    before = git(prod.yard.remote, "for-each-ref")
    said = prod.refused("deploy:shop@prod", *YES)
    assert f"dev has not verified {tag_of(prod.yard.image)}" in said
    assert git(prod.yard.remote, "for-each-ref") == before
    assert not any("shop-prod" in one and "sync" in one for one in prod.yard.world.asked)


@pytest.fixture(name="promoted")
def fixture_promoted(prod: Prod) -> Prod:
    """Promoted by somebody else, who has not synced."""
    prod.yard.mono.fine("promote:shop@prod", *YES, **prod.variables)
    return prod


def test_a_sync_alone_shows_what_it_brings_and_asks(promoted: Prod) -> None:
    yard = promoted.yard
    said = promoted.refused("sync:shop@prod")
    assert "prod is protected: its name is to be typed, and there is no terminal to ask on" in said
    assert "→ doit sync:shop@prod yes=prod ref=CHG-123" in said
    assert "yes= goes with ref=" in promoted.refused("sync:shop@prod", "yes=prod")
    assert "'dev' is not prod" in promoted.refused("sync:shop@prod", "yes=dev", "ref=CHG-7")
    code, shown = typed(yard.mono, ("sync:shop@prod",), "Type prod to go on: ", "prod", **promoted.variables)
    assert code == 0, shown
    for line in (f"then  {tag_of(yard.image)}, of {yard.of[:12]}", "main: 2 migrations to version 2", "  00002_b.sql"):
        assert line in shown
    assert "now   no image" in shown
    assert counts(yard.mono.fine("sync:shop@prod", **promoted.variables)) == (0, 1, 0)


def test_a_sync_shows_as_new_what_the_last_one_did_not_have(prod: Prod) -> None:
    yard = prod.yard
    yard.mono.fine("promote:shop@prod", f"tag={tag_of(yard.first)}", *YES, **prod.variables)
    first = git(yard.remote, "rev-parse", "main").strip()
    kept = deepcopy((yard.world.jobs, yard.world.pods, yard.world.logs))
    released(yard.world, "shop-prod", image=yard.first, revision=first, logs=LOGS)
    yard.world.jobs, yard.world.pods, yard.world.logs = kept
    yard.mono.fine("promote:shop@prod", *YES, **prod.variables)
    code, shown = typed(yard.mono, ("sync:shop@prod",), "Type prod to go on: ", "no", **prod.variables)
    assert code == 1, shown
    assert f"now   {tag_of(yard.first)}" in shown
    assert "main: 2 migrations to version 2, 1 of them new" in shown
    assert "00001_a.sql" not in shown


def test_what_was_promoted_and_is_verified_no_more_is_not_synced(promoted: Prod) -> None:
    promoted.yard.taken_back()
    said = promoted.refused("sync:shop@prod", *YES)
    assert f"dev has not verified {tag_of(promoted.yard.image)}" in said
    assert "→ doit verify:shop@dev" in said
    assert "→ doit sync:shop@prod" in said


@pytest.mark.parametrize("words", [("-s",), ("-a",), ("--continue",)])
def test_no_flag_of_doit_syncs_what_is_not_verified(promoted: Prod, words: tuple[str, ...]) -> None:
    promoted.yard.taken_back()
    assert "dev has not verified" in promoted.refused("run", *words, "sync:shop@prod", *YES)
    promoted.refused("run", *words, "deploy:shop@prod", *YES)


def test_what_was_verified_when_it_was_shown_and_is_not_when_argo_cd_is_to_be_asked_is_not_synced(
    promoted: Prod,
) -> None:
    yard = promoted.yard

    code, shown = typed(
        yard.mono,
        ("sync:shop@prod",),
        "Type prod to go on: ",
        lambda: yard.taken_back("prod"),
        **promoted.variables,
    )
    assert code == 1, shown
    assert "dev has not verified" in shown
    assert yard.world.sent == []


def test_a_branch_that_moves_after_the_confirmation_is_not_synced(promoted: Prod) -> None:
    promoted.at_first_look(promoted.yard.elsewhere)
    said = promoted.refused("sync:shop@prod", *YES)
    assert "it is not what was shown any more, so nothing was written" in said
    assert "→ look at it again: doit sync:shop@prod" in said


def test_an_image_that_somebody_wrote_there_by_hand_is_not_synced_without_a_promotion(prod: Prod) -> None:
    yard = prod.yard
    values = f'migrations:\n  image: "{yard.image}"\n'
    yard.elsewhere("services/shop/values-prod.yaml", values)
    assert f"nobody knows which migrations {yard.image} holds" in prod.refused("sync:shop@prod", *YES)
    yard.elsewhere("services/shop/values-prod.yaml", 'migrations:\n  image: ""\n')
    message = (
        f"by hand\n\nImage: {yard.image}\nCommit: {git(yard.remote, 'rev-list', '--max-parents=0', 'main').strip()}"
    )
    yard.elsewhere("services/shop/values-prod.yaml", values, message)
    assert "is not known: its labels are not what its commit has" in prod.refused("sync:shop@prod", *YES)


def test_an_override_stands_in_the_commit_that_promoted_and_never_skips_the_proof(prod: Prod) -> None:
    yard = prod.yard
    yard.taken_back()
    words = ("deploy:shop@prod", "override=the login page is down", *YES)
    done = yard.mono.fine(*words, **prod.variables)
    assert "it goes there all the same: the login page is down (CHG-7)" in done.stderr
    assert "verified: 2 versions of " in done.stderr
    evidence = json.loads(yard.mono.fine("verify:shop@prod", "format=json", **prod.variables).stdout)
    plan = "main: 2 migrations to version 2\n  00001_a.sql\n  00002_b.sql"
    assert evidence["decided"] == {"ref": "CHG-7", "override": "the login page is down", "plan": [plan]}
    prod.new()
    with psycopg.connect(prod.url, autocommit=True) as connection:
        connection.execute("DROP TABLE goose_db_version")
    again = yard.mono.fine("sync:shop@prod", *YES, **prod.variables)
    assert "it goes there all the same: the login page is down (CHG-7)" in again.stderr
    assert yard.mono.doit("sync:shop@prod", "override=no", *YES, **prod.variables).returncode == 3


def test_an_override_without_its_reference_in_the_commit_counts_for_nothing(prod: Prod) -> None:
    yard = prod.yard
    yard.taken_back()
    trailers = f"Image: {yard.image}\nCommit: {yard.of}\nOverride: because"
    values = f'migrations:\n  image: "{yard.image}"\n'
    yard.elsewhere("services/shop/values-prod.yaml", values, f"by hand\n\n{trailers}")
    assert "dev has not verified" in prod.refused("sync:shop@prod", *YES)


def test_by_pull_request_it_stops_for_the_merge_and_goes_on_after_it(prod: Prod) -> None:
    yard = prod.yard
    listed = yard.mono.root / "services.yaml"
    head, _, rest = listed.read_text().partition("  prod:")
    listed.write_text(f"{head}  prod:{rest.replace('push: direct', 'push: pull-request')}")
    branch = f"promote/prod/shop-{tag_of(yard.image)}"
    assert f"waits for a merge: {branch} into main" in prod.refused("deploy:shop@prod", *YES)
    git(yard.remote, "update-ref", "refs/heads/main", branch)
    done = yard.mono.fine("deploy:shop@prod", *YES, **prod.variables)
    assert [name for name in ran(done) if name in ROAD] == ROAD[1:]
    assert "shop@prod, on origin/main at" in done.stderr, "what is rolled out is shown again"


def test_a_release_is_not_ended_by_a_word_that_would_begin_one(prod: Prod) -> None:
    done = prod.yard.mono.doit("deploy:shop@prod", "stop=true", *YES, **prod.variables)
    assert done.returncode == 3
    assert "`stop=true` goes with sync alone" in done.stderr
    assert "→ doit sync:… stop=true" in done.stderr
    assert prod.yard.there() == ""
