"""Images of migrations: of a commit, in a real registry, and again only where something is missing."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.conftest import ROOT, Monorepo, counts, small
from tests.playground import git, publish
from tests.registries import Registry
from tools import oci

USERS = "-- +goose Up\nCREATE TABLE users (id TEXT);\n\n-- +goose Down\nDROP TABLE users;\n"
Typed = Callable[..., str]


@pytest.fixture(name="mono")
def fixture_mono(images: str, tmp_path: Path) -> Monorepo:
    """Two services whose images go to a repository of this test."""
    monorepo = small(
        tmp_path / "monorepo",
        {"shop": {"00001_users.sql": USERS}, "cart": {"00001_carts.sql": USERS.replace("users", "carts")}},
        f"image: {{repository: '{images}/{{service}}', platforms: [linux/amd64]}}",
    )
    publish(monorepo.root, tmp_path / "remote")
    return monorepo


@pytest.fixture(name="git")
def fixture_git(mono: Monorepo) -> Typed:
    return lambda *words: git(mono.root, *words).strip()


def pushed(mono: Monorepo, what: str = "image", *words: str) -> list[dict[str, str]]:
    done = mono.fine(what, "format=json", *words)
    return [json.loads(line) for line in done.stdout.splitlines()]


def config(registry: Registry, digest: str) -> dict[str, object]:
    (entry,) = json.loads(registry.blob(digest))["manifests"]
    manifest = json.loads(registry.blob(entry["digest"]))
    read: dict[str, object] = json.loads(registry.blob(manifest["config"]["digest"]))["config"]
    return read


def test_a_commits_images_are_pushed_once_and_again_when_the_registry_has_lost_one(
    mono: Monorepo, git: Typed, registry: Registry
) -> None:
    first = mono.fine("image")
    assert counts(first) == (2, 0, 0)
    shop, cart = pushed(mono)
    assert (shop["service"], cart["service"], shop["commit"]) == ("shop", "cart", git("rev-parse", "HEAD"))
    assert oci.digest(f"{shop['repository']}:{shop['tag']}") == shop["digest"]
    assert counts(mono.fine("image")) == (0, 2, 0)
    labels = config(registry, shop["digest"])["Labels"]
    assert isinstance(labels, dict)
    assert labels["gander.main.versions"] == "1..1"
    assert list(json.loads(labels["gander.main.files"])) == ["00001_users.sql"]
    shutil.rmtree(registry.folder / "docker" / "registry" / "v2" / "repositories" / shop["repository"].split("/", 1)[1])
    assert counts(mono.fine("image")) == (1, 1, 0)
    assert pushed(mono) == [shop, cart]


def test_the_work_tree_is_never_in_an_image_and_what_it_lacks_is_said(mono: Monorepo, git: Typed) -> None:
    before, _ = pushed(mono)
    (mono.folder("shop") / "00002_more.sql").write_text(USERS.replace("users", "more"))
    mono.write("cart", "00001_carts.sql", "SELECT 'edited';")
    done = mono.fine("image")
    assert counts(done) == (0, 2, 0)
    why = mono.fine("why", "image:shop").stdout
    assert "does not have: services/shop/migrations/00002_more.sql" in why
    git("add", "--all")
    assert pushed(mono, "image:shop") == [before], "added is not committed"
    git("commit", "--quiet", "--message", "more")
    (mono.folder("shop") / "00003_bad.sql").write_text("-- +goose Up\nno SQL;\n")
    (after,) = pushed(mono, "image:shop")
    assert after["tag"] != before["tag"]
    assert pushed(mono, "image:shop", "commit=HEAD~1") == [before]
    git("checkout", "--quiet", "--detach", "HEAD~1")
    assert pushed(mono, "image:shop") == [before]


def test_a_commit_without_migrations_or_a_service_without_a_repository_is_refused(mono: Monorepo, git: Typed) -> None:
    done = mono.doit("image:shop", "commit=nowhere")
    assert done.returncode == 1
    assert "there is no commit `nowhere` here" in done.stderr
    (mono.folder("shop") / "00001_users.sql").unlink()
    (mono.folder("shop") / "00002_link.sql").symlink_to("00001_users.sql")
    git("add", "--all")
    git("commit", "--quiet", "--message", "a link")
    done = mono.doit("image:shop")
    assert done.returncode == 1
    assert "00002_link.sql: is no plain file in git" in done.stderr
    listed = (mono.root / "services.yaml").read_text().splitlines()
    (mono.root / "services.yaml").write_text("\n".join(line for line in listed if not line.startswith("image:")))
    done = mono.doit("image:cart")
    assert done.returncode == 1
    assert "does not say where the image of cart goes" in done.stderr


def test_what_lint_and_test_refuse_of_the_commit_is_not_pushed_whatever_the_work_tree_says(
    mono: Monorepo, git: Typed, registry: Registry
) -> None:
    place = mono.folder("shop")
    (place / "00002_bad.sql").write_text(USERS.replace("users (id TEXT", "more (id NOTYPE"))
    (mono.folder("cart") / "00002_no_down.sql").write_text("-- +goose Up\nCREATE TABLE more (id TEXT);\n")
    git("add", "--all")
    git("commit", "--quiet", "--message", "bad")
    (place / "00002_bad.sql").write_text(USERS.replace("users", "more"))
    done = mono.doit("image:shop", "format=json")
    assert (done.returncode, done.stdout) == (1, "")
    assert 'type "notype" does not exist' in done.stderr
    assert "services/shop/migrations/00002_bad.sql:2" in done.stderr
    assert "correct it and commit, then doit image:shop" in done.stderr
    done = mono.doit("image:cart", "format=json")
    assert (done.returncode, done.stdout) == (1, "")
    assert "GS02" in done.stderr
    assert registry.tags(f"{mono.root.parent.name.replace('_', '-')}/shop") == []


def test_an_image_begins_with_the_base_that_the_commits_services_yaml_pins(
    mono: Monorepo, git: Typed, images: str, registry: Registry
) -> None:
    (plain,) = pushed(mono, "image:shop")
    layer = oci.layer({"/etc/authority.pem": (b"of the company", 0o644)}, "authority")
    base = oci.image({"amd64": [layer]}, {"Env": ["SSL_CERT_FILE=/etc/authority.pem"], "User": "0"})
    digest = oci.push(f"{images}/base:m-1", base, lambda _: None)
    listed = mono.root / "services.yaml"
    without = listed.read_text()
    listed.write_text(without.replace("image: {", f"image: {{base: '{images}/base:m-1@{digest}', "))
    assert pushed(mono, "image:shop") == [plain], "what is not committed changes no image"
    git("commit", "--quiet", "--all", "--message", "a base")
    (based,) = pushed(mono, "image:shop")
    assert based["tag"] != plain["tag"]
    assert pushed(mono, "image:shop", "commit=HEAD~1") == [plain | {"commit": plain["commit"]}]
    settings = config(registry, based["digest"])
    assert settings["Env"] == ["SSL_CERT_FILE=/etc/authority.pem", "GOOSE_MIGRATION_DIR=/migrations"]
    assert (settings["User"], settings["Entrypoint"]) == ("65532:65532", ["/goose"])
    (entry,) = json.loads(registry.blob(based["digest"]))["manifests"]
    layers = [one["digest"] for one in json.loads(registry.blob(entry["digest"]))["layers"]]
    assert (layers[0], len(layers)) == (layer.digest, 3), "the base, goose, the migrations: certificates are the base's"

    listed.write_text(listed.read_text().replace(f"@{digest}", f"@sha256:{'0' * 64}"))
    git("commit", "--quiet", "--all", "--message", "a base that is not there")
    done = mono.doit("image:shop")
    assert done.returncode == 1
    assert "does not have the base of images" in done.stderr
    assert "→ correct image.base in services.yaml" in done.stderr
    listed.write_text(without.replace("image: {", f"image: {{base: '{images}/base:m-1', "))
    done = mono.doit("image:shop")
    assert done.returncode == 3
    assert "is not an image that its digest pins" in done.stderr


def test_a_run_that_is_killed_while_it_pushes_leaves_no_tag_and_nothing_in_git(
    mono: Monorepo, git: Typed, registry: Registry
) -> None:
    before = git("for-each-ref"), git("worktree", "list"), git("status", "--porcelain")
    with subprocess.Popen(
        mono.command("image:shop"), cwd=ROOT, env=mono.environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "sending" in line:
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    assert (git("for-each-ref"), git("worktree", "list"), git("status", "--porcelain")) == before
    (image,) = pushed(mono, "image:shop")
    assert registry.tags(image["repository"].partition("/")[2]) == [image["tag"]]
    assert list((mono.state / "image").glob("commit-*")) == []
