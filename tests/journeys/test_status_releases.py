"""`doit status` of environments that are released to: a real registry, a real remote, and a server that plays dev."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests import registries
from tests.journeys.conftest import ROOT, Monorepo, lend, small
from tests.journeys.releases import USERS, VALUES, releasing, there
from tests.playground import git
from tests.registries import Registry

SCHEMA = json.loads((ROOT / "schemas" / "status.schema.json").read_text())
HEADER = ["database", "image", "commit", "version", "pending", "promoted", "stands"]
UNSET = "not asked: SHOP_MAIN_DEV_URL is not set"


@pytest.fixture(name="mono")
def fixture_mono(images: str, tmp_path: Path) -> Monorepo:
    """The monorepo with one reference, and a values file for each environment."""
    one = releasing(images, tmp_path)
    file = one.root / "services.yaml"
    named = file.read_text().replace("name: shop}", "name: {dev: shop_main, prod: shop}}")
    dev, prod = named.split("  prod:\n")
    named = f"{dev}  prod:\n{prod.replace('/values.yaml', '/values-prod.yaml')}"
    file.write_text(f"{named}  till: {{databases: {{shop: {{owner: shop/main}}}}}}\n")
    (one.root / "services" / "till").mkdir()
    (one.root / "services" / "till" / "README.md").touch()
    for service in ("shop", "cart"):
        (one.root / "services" / service / "values-prod.yaml").write_text(VALUES)
    one.commit()
    git(one.root, "push", "--quiet", "origin", "HEAD:main")
    return one


@pytest.fixture(name="dev")
def fixture_dev(empty_server: Monorepo, tmp_path: Path) -> Iterator[Monorepo]:
    """A server that has run the first migration of the shop."""
    one = lend(empty_server, small(tmp_path / "dev", {"shop": {"00001_users.sql": USERS}}))
    one.fine("migrate")
    yield one
    one.stop()


def rows(mono: Monorepo, *words: str, **variables: str) -> list[list[str]]:
    """The lines of the table, as cells."""
    return [re.split(r" {2,}", line) for line in mono.doit(*words, **variables).stdout.splitlines()]


def commit_of(mono: Monorepo, name: str = "HEAD") -> str:
    return git(mono.root, "rev-parse", name)[:12]


def test_every_service_in_every_environment_is_one_table(mono: Monorepo, dev: Monorepo) -> None:
    mono.fine("promote:shop@dev")
    image = re.search(r":(m-[0-9a-f]{16})@", there(mono))
    assert image
    first = commit_of(mono)
    mono.write("shop", "00002_more.sql", "CREATE TABLE more (id TEXT);", "DROP TABLE more;")
    mono.commit()
    url = {"SHOP_MAIN_DEV_URL": dev.urls()["shop/main"]}
    shown = rows(mono, "status@dev", "status@prod", **url)
    behind, unset = "not at head: 1 applied, 1 pending", "not asked: {} is not set"
    assert shown[:7] == [
        HEADER,
        ["shop/main@dev", image[1], first, "1", "1", "no", behind],
        ["shop/main@prod", "-", "-", "-", "2", "no", unset.format("SHOP_MAIN_PROD_URL")],
        ["cart/main@dev", "-", "-", "-", "1", "no", unset.format("CART_MAIN_DEV_URL")],
        ["cart/main@prod", "-", "-", "-", "1", "no", unset.format("CART_MAIN_PROD_URL")],
        ["till/shop@dev", image[1], first, "1", "1", "no", f"through shop/main: {behind}"],
        ["till/shop@prod", "-", "-", "-", "2", "no", f"through shop/main: {unset.format('SHOP_MAIN_PROD_URL')}"],
    ]
    mono.fine("promote:shop@dev")
    (cells,) = [one for one in rows(mono, "status:shop@dev", **url) if one[0] == "shop/main@dev" and len(one) > 1]
    assert cells[2:] == [commit_of(mono), "2", "0", "yes", behind]
    dev.write("shop", "00002_more.sql", "CREATE TABLE more (id TEXT);", "DROP TABLE more;")
    dev.fine("migrate")
    done = mono.fine("status:shop@dev", **url)
    assert "all at head" in done.stderr


def test_the_document_has_releases_beside_databases(mono: Monorepo) -> None:
    mono.fine("promote:shop@dev")
    document: Any = json.loads(mono.doit("status:shop@all", "format=json").stdout)
    jsonschema.validate(document, SCHEMA)
    assert [one["environment"] for one in document["databases"]] == ["local", "dev", "prod"]
    dev, prod = document["releases"]
    assert (dev["promoted"], dev["commit"]) == (True, git(mono.root, "rev-parse", "HEAD").strip())
    assert dev["image"] in there(mono)
    assert dev["databases"] == [{"database": "main", "version": 1, "head": 1, "pending": []}]
    assert (prod["promoted"], prod["image"], prod["databases"][0]["pending"]) == (False, None, ["00001_users.sql"])
    here: Any = json.loads(mono.doit("status", "format=json").stdout)
    jsonschema.validate(here, SCHEMA)
    assert here["releases"] == []


def test_what_is_not_known_is_said_and_nothing_is_waited_for(mono: Monorepo, registry: Registry) -> None:
    mono.fine("promote:shop@dev")
    promoted = there(mono)
    name = promoted.partition(f"{registry.host}/")[2].partition(":")[0]
    shutil.rmtree(registry.folder / "docker" / "registry" / "v2" / "repositories" / name)
    lost = mono.doit("status:shop@dev")
    assert lost.returncode == 1
    assert re.search(rf"^shop@dev: the registry has no {registry.host}/\S+ any more, ", lost.stdout, re.MULTILINE)
    file = mono.root / "services.yaml"
    before = file.read_text()
    file.write_text(before.replace(registry.host, "127.0.0.1:1"))
    away = mono.doit("status:cart@dev")
    assert away.stdout.splitlines()[1].split()[:6] == ["cart/main@dev", "-", "-", "-", "1", "no"]
    file.write_text(before.replace("branch: main, push: direct", "branch: gone, push: direct"))
    gone = mono.doit("status:shop@dev", "status:cart@dev")
    assert gone.stdout.splitlines()[1].split()[:6] == ["shop/main@dev", "?", "?", "?", "?", "?"]
    assert gone.stdout.count("has no branch `gone`") == 1
    assert "shop@dev, cart@dev: " in gone.stdout
    assert "2 of 2 releases not known" in gone.stderr
    assert there(mono) == promoted


def test_a_line_that_somebody_took_back_is_seen(mono: Monorepo) -> None:
    mono.fine("promote:shop@dev")
    git(mono.root, "pull", "--quiet", "--rebase", "origin", "main")
    (mono.root / "services" / "shop" / "values.yaml").write_text(VALUES)
    git(mono.root, "commit", "--quiet", "--all", "--message", "by hand")
    git(mono.root, "push", "--quiet", "origin", "HEAD:main")
    assert rows(mono, "status:shop@dev")[1] == ["shop/main@dev", "-", "-", "-", "1", "no", UNSET]


def test_each_image_is_asked_about_once_whatever_the_number_of_environments(tmp_path: Path) -> None:
    with registries.registry(tmp_path / "registry", notes=True) as registry:
        mono = releasing(f"{registry.host}/tests", tmp_path)
        for done in range(1, 3):
            assert mono.doit("status@all" if done == 1 else "plan@all").returncode == 1
            asked = [one.partition("/manifests/")[0] for one in registry.requests() if "/manifests/" in one]
            assert sorted(asked) == sorted([f"HEAD /v2/tests/{one}" for one in ("cart", "shop")] * done)
