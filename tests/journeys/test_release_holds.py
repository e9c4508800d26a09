"""What holds of a release whatever the checkout looks like, and from a new migration to a migrated database."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import psycopg
import pytest
from docker import APIClient

from tests.journeys.conftest import Make, Monorepo, counts, ran
from tests.journeys.releases import HEAD, USERS, VALUES, releasing, there
from tests.playground import SETTINGS, git, publish

MORE = ("CREATE TABLE more (id TEXT PRIMARY KEY);", "DROP TABLE more;")


@pytest.fixture(name="mono")
def fixture_mono(images: str, tmp_path: Path) -> Monorepo:
    return releasing(images, tmp_path)


def plan(mono: Monorepo, *words: str) -> Any:
    (one,) = json.loads(mono.doit("plan:shop@dev", "format=json", *words).stdout)["releases"]
    return one


def mine(mono: Monorepo) -> tuple[str, ...]:
    """All that is the user's own."""
    asked = (("status", "--porcelain"), ("diff", "HEAD"), ("for-each-ref", "refs/heads"), ("worktree", "list"))
    return ((mono.root / ".git" / "HEAD").read_text(), *(git(mono.root, *words) for words in asked))


def test_a_new_migration_goes_all_the_way_to_a_database_and_again_there_is_nothing_to_do(
    make: Make, images: str, host: str, tmp_path: Path
) -> None:
    mono = make(
        {"shop": {"00001_users.sql": USERS}}, HEAD.replace("HOST", images).replace(", platforms: [linux/amd64]", "")
    )
    (mono.root / ".gitignore").write_text(".state/\n")
    (mono.root / "services" / "shop" / "values.yaml").write_text(VALUES)
    publish(mono.root, tmp_path / "remote")
    new = mono.write("shop", "20260101000000_add_more.sql", *MORE)
    mono.fine("check")
    mono.fine("commit:shop")
    assert git(mono.root, "show", "--name-only", "--format=", "HEAD").split() == [new.relative_to(mono.root).as_posix()]
    assert ran(mono.fine("promote:shop@dev")) == ["image:shop", "promote:shop@dev"]
    said = re.search(r'image: "(\S+)"', there(mono))
    assert said
    server = mono.urls()["shop/main"]
    url = server.replace("/shop_main?", "/deployed?")
    with psycopg.connect(server.replace("/shop_main?", "/postgres?"), autocommit=True) as local:
        local.execute("CREATE DATABASE deployed")
    with APIClient(base_url=host or None) as client:
        name, _, digest = said[1].partition("@")
        client.pull(name.rpartition(":")[0], tag=digest)
        settings = {"GOOSE_DRIVER": "postgres", "GOOSE_DBSTRING": url}
        made = client.create_container(
            said[1], environment=settings, host_config=client.create_host_config(network_mode="host")
        )
        try:
            client.start(made)
            assert client.wait(made)["StatusCode"] == 0, client.logs(made)
        finally:
            client.remove_container(made, force=True)
            client.remove_image(said[1], force=True)
    with psycopg.connect(url) as deployed:
        held = deployed.execute("SELECT version_id FROM goose_db_version ORDER BY id").fetchall()
    assert held == [(0,), (1,), (20260101000000,)]
    before = git(tmp_path / "remote", "rev-parse", "main")
    assert counts(mono.fine("check")) == (0, 6, 0)
    assert counts(mono.fine("promote:shop@dev")) == (0, 1, 0)
    assert git(tmp_path / "remote", "rev-parse", "main") == before


def test_commits_of_others_make_nothing_run_and_a_release_lands_on_top_of_them(mono: Monorepo, tmp_path: Path) -> None:
    mono.fine("promote:shop@dev")
    git(tmp_path, "clone", "--quiet", str(tmp_path / "remote"), "theirs")
    for number in range(2):
        (tmp_path / "theirs" / "theirs.txt").write_text(str(number))
        git(tmp_path / "theirs", "add", "--all")
        who = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        git(tmp_path / "theirs", *who, "commit", "--quiet", "--message", "theirs")
        git(tmp_path / "theirs", "push", "--quiet")
        if not number:
            assert counts(mono.fine("promote:shop@dev")) == (0, 1, 0)
            mono.write("shop", "00002_more.sql", *MORE)
            mono.commit()
    assert ran(mono.fine("promote:shop@dev")) == ["image:shop", "promote:shop@dev"]
    subjects = git(tmp_path / "remote", "log", "-3", "--format=%s", "main").splitlines()
    assert subjects[0].startswith("chore(shop): promote m-")
    assert subjects[1:] == ["theirs", "theirs"]


def test_a_detached_head_and_a_dirty_tree_release_the_commit_and_say_what_it_leaves_out(mono: Monorepo) -> None:
    clean = plan(mono)["then"]
    git(mono.root, "switch", "--quiet", "--detach")
    mono.write("shop", "00001_users.sql", "SELECT 'edited';")
    mono.write("shop", "00002_untracked.sql", *MORE)
    mono.write("shop", "00003_added.sql", "SELECT 3;", "SELECT 3;")
    git(mono.root, "add", "services/shop/migrations/00003_added.sql")
    (mono.root / "services" / "shop" / "values.yaml").write_text("mine: true\n")
    before = mine(mono)
    seen = plan(mono)
    assert (seen["then"], seen["runs"]) == (clean, {"main": ["00001_users.sql"]})
    lacks = "not in it, as {0} does not have it: services/shop/migrations/{1}"
    names = ("00001_users.sql", "00002_untracked.sql", "00003_added.sql")
    assert set(seen["notes"]) >= {lacks.format(seen["commit"][:12], name) for name in names}
    done = mono.fine("promote:shop@dev")
    assert "without what" in done.stderr
    assert "services/shop/migrations/00001_users.sql and 2 more" in done.stderr
    assert clean in there(mono)
    assert mine(mono) == before
    assert plan(mono)["outcome"] == "nothing"


def test_a_shallow_clone_releases_the_same_image_and_guesses_at_nothing_that_it_cannot_see(
    mono: Monorepo, tmp_path: Path
) -> None:
    mono.fine("promote@dev")
    for service in ("cart", "shop"):
        mono.write(service, "00002_more.sql", *MORE)
    git(mono.root, "pull", "--quiet", "--rebase", "origin", "main")
    mono.commit()
    git(mono.root, "push", "--quiet", "origin", "HEAD:main")
    mono.fine("promote:cart@dev")
    whole = plan(mono)
    assert (whole["outcome"], whole["runs"]) == ("changes", {"main": ["00002_more.sql"]})

    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{tmp_path}/remote", "shallow")
    shallow = Monorepo(root=tmp_path / "shallow")
    assert git(shallow.root, "rev-parse", "--is-shallow-repository").strip() == "true"
    for name, value in SETTINGS.items():
        git(shallow.root, "config", name, value)
    seen = plan(shallow)
    assert seen["then"] == whole["then"]
    assert (seen["outcome"], seen["runs"]) == ("unknown", None)
    assert "is not known: this clone is shallow (git fetch --unshallow)" in seen["problems"][0]
    listed = json.loads(shallow.doit("status@dev", "format=json").stdout)["releases"]
    assert {one["service"]: (one["commit"] is None, one["promoted"]) for one in listed} == {
        "shop": (True, False),
        "cart": (False, True),
    }
    assert ran(shallow.fine("promote:shop@dev")) == ["image:shop", "promote:shop@dev"]
    assert whole["then"] in there(mono)
    assert counts(mono.fine("promote@dev")) == (0, 2, 0)
