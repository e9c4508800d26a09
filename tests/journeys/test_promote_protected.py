"""What dev has verified goes to prod, and nothing else does: a real registry, real remotes and dev's real database.

Argo CD and the cluster are a stand-in, which says what a real one says of a release that went well.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import psycopg
import pytest

from tests.argocd_standin.release import released
from tests.argocd_standin.server import TOKEN, World, serving
from tests.journeys.conftest import ROOT, Monorepo, counts, lend, ran, small, typed
from tests.playground import git, publish
from tests.registries import Registry

GOOD = "-- +goose Up\nCREATE TABLE {0} (id TEXT PRIMARY KEY);\n-- +goose Down\nDROP TABLE {0};\n"
FIRST, SECOND = {"00001_a.sql": GOOD.format("a")}, {"00002_b.sql": GOOD.format("b")}
VALUES = 'migrations:\n  image: ""\n'
HEAD = """image: {repository: "HOST/{service}", platforms: [linux/amd64]}
environments:
  dev:
    namespace: auth
    argocd: {application: "{service}-dev", server: "ARGO", token_env: SHOP_TOKEN}
    gitops: {repository: ., branch: main, push: direct}
    values: {file: "services/{service}/values-dev.yaml", key: migrations.image}
  prod:
    protected: true
    after: dev
    gitops: {repository: ., branch: main, push: direct}
    values: {file: "services/{service}/values-prod.yaml", key: migrations.image}"""
LOG = """2026/11/23 04:56:47 OK   00001_a.sql (1.95ms)
2026/11/23 04:56:47 OK   00002_b.sql (1.95ms)
2026/11/23 04:56:47 goose: successfully migrated database to version: 2
"""
SCHEMA = json.loads((ROOT / "schemas" / "status.schema.json").read_text())
YES = ("yes=prod", "ref=CHG-7")


@dataclass(kw_only=True)
class Yard:
    """A monorepo of which dev has the second release, the Argo CD that follows it, and dev's database."""

    mono: Monorepo
    world: World
    url: str  # of the database
    first: str = ""  # REPOSITORY:TAG@DIGEST of the release before
    image: str = ""  # and of this one
    of: str = ""  # the commit that this one is of

    @property
    def variables(self) -> dict[str, str]:
        """What a release engineer has set."""
        return {"SHOP_TOKEN": TOKEN, "SHOP_MAIN_DEV_URL": self.url}

    @property
    def remote(self) -> Path:
        """The remote, beside the monorepo."""
        return self.mono.root.parent / "remote"

    def sql(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def taken_back(self, answer: str = "") -> str:
        """Somebody takes dev's second version back by hand; while a question waits that is answered then."""
        self.sql("DELETE FROM goose_db_version WHERE version_id = 2")
        return answer

    def well(self, log: str = LOG) -> None:
        """Have dev's release be as one that went well."""
        tip = git(self.remote, "rev-parse", "main").strip()
        held = self.world
        for some in (held.applications, held.jobs, held.pods, held.logs, held.faults, held.asked):
            some.clear()
        held.look = None
        released(held, "shop-dev", image=self.there("dev"), revision=tip, logs={"shop-migrate": log})
        self.sql("DELETE FROM goose_db_version")
        self.sql("INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (1, true), (2, true)")

    def there(self, environment: str = "prod") -> str:
        """The image in an environment's values file on the remote."""
        text = git(self.remote, "show", f"main:services/shop/values-{environment}.yaml")
        return text.partition('image: "')[2].partition('"')[0]

    def trailer(self, name: str) -> str:
        """A trailer of the remote's newest commit."""
        return git(self.remote, "log", "-1", f"--format=%(trailers:key={name},valueonly)", "main").strip()

    def refused(self, *words: str) -> str:
        """What a promotion says that must not succeed, with nothing written."""
        before = git(self.remote, "for-each-ref")
        done = self.mono.doit(*(words or ("promote:shop@prod", *YES)), **self.variables)
        assert done.returncode == 1, done.stderr
        assert git(self.remote, "for-each-ref") == before
        return done.stderr

    def elsewhere(self, file: str = "notes.txt", text: str = "of a colleague\n", message: str = "by hand") -> None:
        """A colleague pushes a commit to main."""
        clone = self.mono.root.parent / "theirs"
        if not clone.exists():
            git(clone.parent, "clone", "--quiet", str(self.remote), str(clone))
        git(clone, "pull", "--quiet")
        (clone / file).write_text(text)
        git(clone, "add", "--all")
        who = ("-c", "user.name=Colleague", "-c", "user.email=colleague@example.com", "-c", "commit.gpgsign=false")
        git(clone, *who, "commit", "--quiet", "--allow-empty", "--message", message)
        git(clone, "push", "--quiet")


@pytest.fixture(scope="module", name="model")
def fixture_model(
    empty_server: Monorepo, registry: Registry, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Yard]:
    """The monorepo of every test, to be copied."""
    folder = tmp_path_factory.mktemp("protected")
    dev = lend(empty_server, small(folder / "dev", {"shop": FIRST | SECOND}))
    dev.fine("migrate")
    with serving() as world:
        head = HEAD.replace("ARGO", world.url).replace("HOST", f"{registry.host}/protected")
        mono = small(folder / "model" / "mono", {"shop": FIRST}, head)
        root = mono.root
        listed = (root / "services.yaml").read_text()
        (root / "services.yaml").write_text(listed.replace("name: shop}", "name: {dev: shop_main, prod: shop}}"))
        for environment in ("dev", "prod"):
            (root / "services" / "shop" / f"values-{environment}.yaml").write_text(VALUES)
        (root / ".gitignore").write_text(".state/\n")
        publish(root, folder / "model" / "remote")
        yard = Yard(mono=mono, world=world, url=dev.urls()["shop/main"])
        mono.fine("promote:shop@dev")
        yard.first = yard.there("dev")
        git(root, "pull", "--quiet", "origin", "main")
        for name, text in SECOND.items():
            (mono.folder("shop") / name).write_text(text)
        mono.commit()
        git(root, "push", "--quiet", "origin", "main")
        yard.of = git(root, "rev-parse", "HEAD").strip()
        mono.fine("promote:shop@dev")
        yard.image = yard.there("dev")
        git(root, "pull", "--quiet", "origin", "main")
        yield yard
    dev.stop()


@pytest.fixture(name="yard")
def fixture_yard(model: Yard, tmp_path: Path) -> Yard:
    folder = tmp_path / "yard"
    shutil.copytree(model.mono.root.parent, folder, symlinks=True)
    config = folder / "mono" / ".git" / "config"
    config.write_text(config.read_text().replace(str(model.remote), str(folder / "remote")))
    yard = Yard(mono=Monorepo(root=folder / "mono"), world=model.world, url=model.url)
    yard.first, yard.image, yard.of = model.first, model.image, model.of
    yard.well()
    return yard


def tag_of(image: str) -> str:
    return image.partition("@")[0].rpartition(":")[2]


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


def test_an_override_is_kept_where_everybody_sees_it_and_needs_its_reference(yard: Yard) -> None:
    yard.taken_back()
    said = yard.refused("promote:shop@prod", "override=the login page is down", "yes=prod")
    assert "an override needs a reference" in said
    words = ("promote:shop@prod", "override=the login page is down", "ref=CHG-8")
    code, shown = typed(yard.mono, words, "Type prod to go on: ", "prod", **yard.variables)
    assert code == 0, shown
    assert f"dev has not verified {tag_of(yard.image)}" in shown
    assert "it goes there all the same: the login page is down (CHG-8)" in shown
    assert yard.there() == yard.image
    assert (yard.trailer("Ref"), yard.trailer("Override")) == ("CHG-8", "the login page is down")


def test_an_override_that_is_not_needed_is_not_written_down(yard: Yard) -> None:
    yard.mono.fine("promote:shop@prod", "override=to be sure", *YES, **yard.variables)
    assert (yard.trailer("Ref"), yard.trailer("Override")) == ("CHG-7", "")


def test_a_wrong_name_changes_nothing(yard: Yard) -> None:
    before = git(yard.remote, "for-each-ref")
    code, shown = typed(yard.mono, ("promote:shop@prod",), "Type prod to go on: ", "yes", **yard.variables)
    assert code == 1
    assert "'yes' is not prod, so nothing was written" in shown
    assert git(yard.remote, "for-each-ref") == before
    assert "'dev' is not prod" in yard.refused("promote:shop@prod", "yes=dev", "ref=CHG-7")


def test_without_a_terminal_the_whole_command_is_named_and_ci_needs_a_reference(yard: Yard) -> None:
    tag = f"tag={tag_of(yard.first)}"
    said = yard.refused("promote:shop@prod", tag)
    assert "its name is to be typed, and there is no terminal to ask on" in said
    (command,) = re.findall(r"→ doit (.*)", said)
    assert command == f"promote:shop@prod {tag} yes=prod ref=CHG-123"
    assert "yes= goes with ref=" in yard.refused("promote:shop@prod", tag, "yes=prod")
    yard.mono.fine(*command.split(), **yard.variables)
    assert yard.there() == yard.first


def at_second_look(yard: Yard, happens: Callable[[], None]) -> None:
    """Have something happen when Argo CD is asked again, after the confirmation."""
    looks: list[str] = []

    def look(_world: World, name: str) -> None:
        looks.append(name)
        if len(looks) == 2:
            happens()

    yard.world.look = look


def test_a_branch_that_moves_after_the_confirmation_is_not_written_on(yard: Yard) -> None:
    at_second_look(yard, yard.elsewhere)
    done = yard.mono.doit("promote:shop@prod", *YES, **yard.variables)
    assert done.returncode == 1
    assert "it is not what was shown any more, so nothing was written" in done.stderr
    assert "→ look at it again: doit promote:shop@prod" in done.stderr
    assert yard.there() == ""


def test_a_branch_that_moves_while_it_is_pushed_to_is_not_written_on(yard: Yard) -> None:
    yard.elsewhere()
    clone = yard.mono.root.parent / "theirs"
    hook = yard.mono.root / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    who = "-c user.name=C -c user.email=c@example.com -c commit.gpgsign=false"
    commit = f"git {who} commit -q --allow-empty -m colleague"
    hook.write_text(f"#!/bin/sh\ncd {clone}; unset $(git rev-parse --local-env-vars); {commit}; git push -q\n")
    hook.chmod(0o755)
    done = yard.mono.doit("promote:shop@prod", *YES, **yard.variables)
    assert done.returncode == 1
    assert "origin/main has moved since it was looked at, so nothing was written" in done.stderr
    assert yard.there() == ""


def test_a_database_that_is_rolled_back_after_it_was_shown_stops_it(yard: Yard) -> None:
    before = git(yard.remote, "for-each-ref")

    code, shown = typed(
        yard.mono,
        ("promote:shop@prod",),
        "Type prod to go on: ",
        lambda: yard.taken_back("prod"),
        **yard.variables,
    )
    assert code == 1, shown
    assert f"dev has not verified {tag_of(yard.image)}: failed: the database is behind" in shown
    assert git(yard.remote, "for-each-ref") == before


def test_a_release_of_dev_after_the_confirmation_stops_it(yard: Yard) -> None:
    values = f'migrations:\n  image: "{yard.first}"\n'
    before = yard.there("dev")
    assert before == yard.image
    at_second_look(yard, lambda: yard.elsewhere("services/shop/values-dev.yaml", values))
    done = yard.mono.doit("promote:shop@prod", *YES, **yard.variables)
    assert done.returncode == 1
    assert yard.there() == ""


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


def test_status_says_the_same_and_shows_an_override_until_dev_catches_up(yard: Yard) -> None:
    tag = tag_of(yard.image)
    assert f"shop@prod: dev has verified {tag}\n" in yard.mono.doit("status:shop@prod", **yard.variables).stdout
    yard.taken_back()
    bad = yard.mono.doit("status:shop@prod", **yard.variables).stdout
    assert f"shop@prod: nothing may go there now: dev has not verified {tag}: failed: the database is behind" in bad
    assert "by an override" not in bad
    yard.mono.fine("promote:shop@prod", "override=the login page is down", *YES, **yard.variables)
    shown = yard.mono.doit("status@prod", **yard.variables).stdout
    assert f"shop@prod has {tag} by an override: the login page is down (CHG-7)\n" in shown
    document = json.loads(yard.mono.doit("status@prod", "format=json", **yard.variables).stdout)
    jsonschema.validate(document, SCHEMA)
    assert document["releases"][0]["override"] == "the login page is down (CHG-7)"
    yard.well()
    assert "by an override" not in yard.mono.doit("status@prod", **yard.variables).stdout


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
