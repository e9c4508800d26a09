"""What dev has verified goes to prod, and nothing else does: a real registry, real remotes and dev's real database.

Argo CD and the cluster are a stand-in, which says what a real one says of a release that went well.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest

from tests.argocd_standin.server import TOKEN
from tests.journeys.conftest import counts, ran, typed
from tests.journeys.protected import GOOD, LOG, VALUES, YES, Yard, fixture_model, fixture_yard, tag_of
from tests.playground import git
from tests.registries import Registry

__all__ = ["fixture_model", "fixture_yard"]


def test_prod_is_refused_before_dev_is_verified_and_gets_it_after(yard: Yard) -> None:
    yard.world.applications.clear()
    said = yard.refused()
    assert f"dev has not verified {tag_of(yard.image)}: not proved: Argo CD was not heard." in said
    assert "prod takes only what dev has verified" in said
    assert "→ doit verify:shop@dev" in said
    yard.well()
    code, shown = typed(yard.mono, ("promote:shop@prod",), "Type prod to go on: ", "prod", **yard.variables)
    assert code == 0, shown
    assert f"then  {tag_of(yard.image)}, of {yard.of[:12]}" in shown
    assert "main: 2 migrations to version 2" in shown
    assert f"dev has verified {tag_of(yard.image)}" in shown
    assert yard.there() == yard.image == yard.there("dev")
    assert (yard.trailer("Commit"), yard.trailer("Image")) == (yard.of, yard.image)
    assert (yard.trailer("Ref"), yard.trailer("Override")) == ("", "")
    yard.world.asked.clear()
    assert counts(yard.mono.fine("promote:shop@prod", **yard.variables)) == (0, 1, 0)
    assert yard.world.asked == []


def test_who_built_an_image_follows_it_to_prod_from_a_machine_that_did_not(yard: Yard) -> None:
    built = yard.trailer("Built")
    assert re.fullmatch(r"20\d\d-\S+\+00:00 by somebody@example\.com", built)
    shutil.rmtree(yard.mono.state)
    yard.mono.fine("promote:shop@prod", *YES, **yard.variables)
    assert yard.there() == yard.image
    assert yard.trailer("Built") == built


def test_nothing_is_built_for_prod(yard: Yard, registry: Registry) -> None:
    name = yard.image.partition(f"{registry.host}/")[2].partition(":")[0]
    tag = registry.folder / "docker" / "registry" / "v2" / "repositories" / name / "_manifests" / "tags"
    shutil.move(tag, tag.with_name("kept"))
    try:
        assert f"the registry has no {yard.image.partition('@')[0]}" in yard.refused()
        assert registry.tags(name) == []
    finally:
        shutil.move(tag.with_name("kept"), tag)
    done = yard.mono.fine("promote:shop@prod", *YES, **yard.variables)
    assert ran(done) == ["promote:shop@prod"]


def test_a_database_whose_history_is_in_another_table_gets_no_release(yard: Yard) -> None:
    """goose would run every file again; the environment is asked right before it is written down what it gets."""
    prod = {"SHOP_MAIN_PROD_URL": yard.url.replace("/shop_main", "/shop")}
    with psycopg.connect(yard.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE shop")
    with psycopg.connect(prod["SHOP_MAIN_PROD_URL"], autocommit=True) as connection:
        connection.execute("CREATE TABLE versions AS SELECT 1 AS id, 1::bigint AS version_id, true AS is_applied")
        connection.execute("ALTER TABLE versions ADD tstamp timestamp DEFAULT now()")
    try:
        done = yard.mono.doit("promote:shop@prod", *YES, **yard.variables, **prod)
        assert done.returncode == 1
        assert (
            "shop/main@prod holds its history under another table, so goose would run every file again" in done.stderr
        )
        assert "goose_db_version is missing, while the database holds versions (1 version)" in done.stderr
        assert "→ doit status:shop/main@prod" in done.stderr
        assert yard.there() == ""
    finally:
        with psycopg.connect(yard.url, autocommit=True) as connection:
            connection.execute("DROP DATABASE shop")
    unseen = yard.mono.fine("promote:shop@prod", *YES, **yard.variables)
    assert "shop/main@prod was not looked at: SHOP_MAIN_PROD_URL is not set" in unseen.stderr
    assert yard.there() == yard.image


def test_what_was_verified_and_rolled_back_by_hand_since_is_refused(yard: Yard) -> None:
    yard.mono.fine("verify:shop@dev", **yard.variables)
    yard.taken_back()
    assert "failed: the database is behind the release. it lacks 00002_b.sql" in yard.refused()


def test_what_dev_verifies_without_a_fact_that_it_leaves_out_goes_to_prod_by_all_five_alone(yard: Yard) -> None:
    listed = yard.mono.root / "services.yaml"
    listed.write_text(listed.read_text().replace("namespace: auth", "namespace: auth\n    require: [operation, hook]"))
    yard.world.jobs.clear()
    assert "verified without job, log: 2 versions" in yard.mono.fine("verify:shop@dev", **yard.variables).stderr
    assert f"dev has not verified {tag_of(yard.image)}: not proved: the Job cannot be looked at." in yard.refused()
    yard.well()
    yard.mono.fine("promote:shop@prod", *YES, **yard.variables)
    assert yard.there() == yard.image


def test_a_token_or_url_that_is_not_set_qualifies_nothing(yard: Yard, tmp_path: Path) -> None:
    for lacking in ("SHOP_TOKEN", "SHOP_MAIN_DEV_URL"):
        variables = {**yard.variables, "HOME": str(tmp_path), "GIT_CONFIG_GLOBAL": "/dev/null"}
        del variables[lacking]
        done = yard.mono.doit("promote:shop@prod", *YES, **variables)
        assert done.returncode == 1
        assert f"{lacking} is not set" in done.stderr
    assert yard.there() == ""


@pytest.mark.parametrize("words", [("-s",), ("-a",), ("--continue",)])
def test_no_flag_of_doit_promotes_what_is_not_verified(yard: Yard, words: tuple[str, ...]) -> None:
    yard.world.jobs.clear()
    assert "not proved: the Job cannot be looked at" in yard.refused("run", *words, "promote:shop@prod", *YES)
    assert yard.mono.doit("ignore", "promote:shop@prod").returncode != 0
    assert yard.mono.doit("reset-dep", "promote:shop@prod").returncode != 0
    assert yard.there() == ""


def test_an_earlier_image_is_chosen_by_its_tag_while_dev_has_verified_one_with_all_its_files(yard: Yard) -> None:
    tag = f"tag={tag_of(yard.first)}"
    done = yard.mono.fine("promote:shop@prod", tag, *YES, **yard.variables)
    newer = f"as all its files are in {tag_of(yard.image)}, which it has"
    assert f"dev has verified {tag_of(yard.first)}, {newer}" in done.stderr
    assert yard.there() == yard.first
    assert yard.trailer("Ref") == "CHG-7"
    assert counts(yard.mono.fine("promote:shop@prod", tag, *YES, **yard.variables)) == (0, 1, 0)
    yard.taken_back()
    assert "dev has not verified" in yard.refused()


def test_a_tag_that_dev_never_had_or_that_another_choice_contradicts_is_refused(yard: Yard) -> None:
    said = yard.refused("promote:shop@prod", "tag=m-0123456789abcdef", *YES)
    assert "m-0123456789abcdef was never promoted to dev" in said
    assert "tag= and commit= both" in yard.refused("promote:shop@prod", "tag=m-01", "commit=HEAD", *YES)
    assert "is for an environment that takes what another has" in yard.refused("promote:shop@dev", "tag=m-01")


def test_an_earlier_image_of_a_repository_that_services_yaml_does_not_name_is_chosen_by_nobody(yard: Yard) -> None:
    file = yard.mono.root / "services.yaml"
    file.write_text(file.read_text().replace("/protected/", "/another/"))
    said = yard.refused("promote:shop@prod", f"tag={tag_of(yard.first)}", *YES)
    assert re.search(
        r"^  dev has an image of \S+/protected/shop, and services.yaml names \S+/another/shop$", said, re.MULTILINE
    )
    assert "nothing of its images is believed" in said


def test_an_image_that_dev_has_not_is_not_promoted_by_its_commit(yard: Yard) -> None:
    (yard.mono.folder("shop") / "00003_c.sql").write_text(GOOD.format("c"))
    yard.mono.commit()
    git(yard.mono.root, "push", "--quiet", "origin", "main")
    assert "the registry has no" in yard.refused("promote:shop@prod", "commit=HEAD", *YES)
    yard.mono.fine("image:shop")
    said = yard.refused("promote:shop@prod", "commit=HEAD", *YES)
    assert f"dev has verified {tag_of(yard.image)}, which lacks 00003_c.sql of main" in said
    yard.mono.fine("promote:shop@prod", f"commit={yard.of}", *YES, **yard.variables)
    assert yard.there() == yard.image


def test_a_commit_that_is_not_merged_goes_to_dev_and_not_to_prod(yard: Yard) -> None:
    (yard.mono.folder("shop") / "00003_c.sql").write_text(GOOD.format("c"))
    yard.mono.commit()
    yard.mono.fine("promote:shop@dev")
    yard.well(LOG.replace("version: 2", "version: 3").replace("2_b", "3_c"))
    yard.sql("INSERT INTO goose_db_version (version_id, is_applied) VALUES (3, true)")
    assert "is not on origin/main" in yard.refused()
    assert "is not on origin/main" in yard.refused("promote:shop@prod", "override=fire", *YES)


def test_values_that_name_a_wrong_commit_are_not_believed(yard: Yard) -> None:
    """Somebody says that dev's image is of the first commit, whose one file dev's database has."""
    file = "services/shop/values-dev.yaml"
    first = git(yard.remote, "rev-list", "--max-parents=0", "main").strip()
    yard.elsewhere(file, VALUES)
    yard.elsewhere(file, f'migrations:\n  image: "{yard.image}"\n', f"by hand\n\nImage: {yard.image}\nCommit: {first}")
    yard.well("2026/11/23 04:56:47 goose: no migrations to run. current version: 1\n")
    yard.taken_back()
    yard.mono.fine("verify:shop@dev", **yard.variables)
    assert "holds is not known: its labels are not what the commit has" in yard.refused()


def test_what_somebody_wrote_into_prods_values_by_hand_is_looked_at(yard: Yard) -> None:
    yard.elsewhere("services/shop/values-prod.yaml", f'migrations:\n  image: "{yard.image}"\n')
    yard.world.jobs.clear()
    assert "dev has not verified" in yard.refused()
    yard.well()
    done = yard.mono.fine("promote:shop@prod", **yard.variables)
    assert f"origin/main says {tag_of(yard.image)} already" in done.stderr


def test_by_pull_request_it_waits_for_its_merge(yard: Yard) -> None:
    listed = yard.mono.root / "services.yaml"
    head, _, prod = listed.read_text().partition("  prod:")
    listed.write_text(f"{head}  prod:{prod.replace('push: direct', 'push: pull-request')}")
    done = yard.mono.doit("promote:shop@prod", *YES, **yard.variables)
    assert done.returncode == 1
    branch = f"promote/prod/shop-{tag_of(yard.image)}"
    assert f"promote:shop@prod waits for a merge: {branch} into main" in done.stderr
    assert yard.there() == ""
    assert yard.image in git(yard.remote, "show", f"{branch}:services/shop/values-prod.yaml")
    git(yard.remote, "update-ref", "refs/heads/main", branch)
    assert counts(yard.mono.fine("promote:shop@prod", **yard.variables)) == (0, 1, 0)


def test_plan_says_the_same_as_promote(yard: Yard) -> None:
    good = yard.mono.doit("plan:shop@prod", **yard.variables)
    assert good.returncode == 4, good.stdout + good.stderr
    assert f"note: dev has verified {tag_of(yard.image)}" in good.stdout
    assert "→ doit promote:shop@prod" in good.stdout
    assert f"  then  {tag_of(yard.image)}, of {yard.of[:12]}" in good.stdout
    yard.taken_back()
    bad = yard.mono.doit("plan:shop@prod", **yard.variables)
    assert bad.returncode == 1
    assert f"dev has not verified {tag_of(yard.image)}: failed: the database is behind the release" in bad.stdout


def test_no_secret_is_shown_or_kept(yard: Yard) -> None:
    done = yard.mono.fine("promote:shop@prod", *YES, **yard.variables)
    body = git(yard.remote, "log", "-1", "--format=%B", "main")
    kept = subprocess.run(
        [shutil.which("grep") or "grep", "-rlF", TOKEN, str(yard.mono.state)], capture_output=True, check=False
    )
    assert kept.stdout == b""
    for text in (done.stdout, done.stderr, body):
        assert TOKEN not in text
        assert yard.url not in text
