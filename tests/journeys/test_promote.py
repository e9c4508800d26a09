"""`doit promote` as it is typed, with a real registry and a real remote."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.journeys.conftest import Monorepo, counts, ran
from tests.journeys.releases import VALUES, releasing, there
from tests.playground import git
from tests.registries import Registry


@pytest.fixture(name="mono")
def fixture_mono(images: str, tmp_path: Path) -> Monorepo:
    return releasing(images, tmp_path)


def test_exactly_what_is_missing_runs_again(mono: Monorepo, registry: Registry) -> None:
    first = mono.fine("promote@dev")
    assert sorted(ran(first)) == ["image:cart", "image:shop", "promote:cart@dev", "promote:shop@dev"]
    assert f'image: "{registry.host}/' in there(mono)
    assert there(mono).endswith('"   # promoted\n')
    promoted = there(mono)
    assert counts(mono.fine("promote@dev")) == (0, 2, 0)
    why = mono.fine("why", "promote:shop@dev").stdout
    assert why.startswith("promote:shop@dev  up to date: dev has m-")

    git(mono.root, "pull", "--quiet", "origin", "main")
    (mono.root / "services" / "shop" / "values.yaml").write_text(VALUES)
    git(mono.root, "commit", "--quiet", "-am", "by hand")
    git(mono.root, "push", "--quiet", "origin", "main")
    assert "promote:shop@dev  would run: dev has no image, not m-" in mono.fine("why", "promote:shop@dev").stdout
    assert ran(mono.fine("promote@dev")) == ["promote:shop@dev"]
    assert there(mono) == promoted

    name = promoted.partition(f"{registry.host}/")[2].partition(":")[0]
    shutil.rmtree(registry.folder / "docker" / "registry" / "v2" / "repositories" / name)
    again = mono.fine("promote@dev")
    assert ran(again) == ["image:shop"]
    assert there(mono) == promoted


def test_a_new_migration_is_released_after_its_commit_and_not_before(mono: Monorepo) -> None:
    mono.fine("promote:shop@dev")
    before = there(mono)
    mono.write("shop", "00002_more.sql", "CREATE TABLE more (id TEXT);", "DROP TABLE more;")
    assert counts(mono.fine("promote:shop@dev")) == (0, 1, 0)
    mono.commit()
    assert ran(mono.fine("promote:shop@dev")) == ["image:shop", "promote:shop@dev"]
    assert there(mono) != before
    body = git(mono.root.parent / "remote", "log", "-1", "--format=%b", "main")
    assert "main: 2 migrations to version 2, 1 of them new\n  00002_more.sql\n" in body


def test_who_built_an_image_is_said_only_of_one_that_this_machine_has_built(mono: Monorepo) -> None:
    remote = mono.root.parent / "remote"
    written = ("log", "-1", "--format=%(trailers:key=Built,valueonly)", "main", "--")
    mono.fine("promote:shop@dev")
    assert git(remote, *written, "services/shop").strip().endswith(" by somebody@example.com")
    mono.fine("image:cart")
    shutil.rmtree(mono.state)
    mono.fine("promote:cart@dev")
    assert "image:" in there(mono, "cart")
    assert git(remote, *written, "services/cart").strip() == ""


def test_names_of_releases(mono: Monorepo) -> None:
    refused = mono.doit("promote:shop")
    assert refused.returncode == 3
    assert "promote is about another environment than local" in refused.stderr
    assert "→ doit promote:shop@dev\n  → doit promote:shop@prod" in refused.stderr
    assert mono.fine("list", "promote:*@dev").stdout.split() == ["promote:shop@dev", "promote:cart@dev"]
    assert "promote:cart@prod" in mono.fine("list", "--all").stdout.split()
    protected = mono.doit("promote:shop@prod")
    assert protected.returncode == 1
    assert "`dev` has no `argocd:`" in protected.stderr
    assert there(mono) == VALUES
    lacking = mono.doit("-s", "promote:shop@dev")
    assert lacking.returncode == 1
    assert "→ doit image:shop" in lacking.stderr
