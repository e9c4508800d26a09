"""A release knows logins, tokens and URLs of databases; no image, commit, state, output or command line has one."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest

from tests import registries
from tests.journeys.conftest import Monorepo, small
from tests.journeys.test_secrets import Watch
from tests.playground import git, publish
from tests.registries import PASSWORD, USER, Registry, TokenServer

USERS = "-- +goose Up\nCREATE TABLE users (id TEXT);\n\n-- +goose Down\nDROP TABLE users;\n"
URL_SECRET, TOKEN_SECRET, WRONG = "url-s3cret-7f1c", "argocd-s3cret-0b7e", "wrong-s3cret-91d4"
SECRETS = {
    "SHOP_MAIN_DEV_URL": f"postgres://deployer:{URL_SECRET}@127.0.0.1:1/shop",
    "ARGOCD_AUTH_TOKEN": TOKEN_SECRET,
}
HEAD = """image: {repository: "HOST/{service}", platforms: [linux/amd64]}
environments:
  dev:
    argocd: {application: "{service}-dev", server: argocd.example.com, token_env: ARGOCD_AUTH_TOKEN}
    gitops: {repository: ., branch: main, push: direct}
    values: {file: "services/{service}/values.yaml", key: migrations.image}"""


@dataclass(frozen=True, kw_only=True)
class Release:
    """A monorepo whose registry wants a token, which it gives for a login; and all that was said."""

    mono: Monorepo
    remote: Path
    registry: Registry
    tokens: TokenServer
    shown: list[str] = field(default_factory=list)

    def doit(self, *words: str, code: int, logged_in: str = "docker", without: str = "") -> None:
        """Type a command with every secret at hand, or ``without`` one of the variables."""
        logins = {"DOCKER_CONFIG": str(self.remote.parent / logged_in), "TMPDIR": str(self.remote.parent / "temporary")}
        given = {name: value for name, value in SECRETS.items() if name != without}
        done = self.mono.doit(*words, **given, **logins)
        assert done.returncode == code, (words, done.stderr, done.stdout)
        self.shown.append(done.stdout + done.stderr)


@pytest.fixture(name="release")
def fixture_release(tmp_path: Path) -> Iterator[Release]:
    with (
        registries.tokens(tmp_path / "tokens") as (tokens, auth),
        registries.registry(tmp_path / "registry", notes=True, **auth) as registry,
    ):
        mono = small(
            tmp_path / "monorepo", {"shop": {"00001_users.sql": USERS}}, HEAD.replace("HOST", f"{registry.host}/test")
        )
        (mono.root / "services" / "shop" / "values.yaml").write_text("migrations:\n  image: ''\n")
        publish(mono.root, tmp_path / "remote")
        registry.login(tmp_path / "docker")
        registry.login(tmp_path / "wrong", auth=base64.b64encode(f"{USER}:{WRONG}".encode()).decode())
        (tmp_path / "temporary").mkdir()
        tmp_path.chmod(0o711)
        (tmp_path / "temporary").chmod(0o777)
        yield Release(mono=mono, remote=tmp_path / "remote", registry=registry, tokens=tokens)


def shapes(*secrets: str) -> set[bytes]:
    """The secrets, and what they look like in headers and URLs."""
    encoded = [base64.b64encode(text.encode()).decode() for one in secrets for text in (one, f"{USER}:{one}")]
    return {one.encode() for one in (*secrets, *encoded, *map(quote, secrets))}


def objects(repository: Path) -> bytes:
    """Every object that a repository has, uncompressed: those that nothing names, too."""
    words = ("git", "cat-file", "--batch-all-objects", "--batch")
    return subprocess.run(words, cwd=repository, check=True, capture_output=True).stdout


def test_no_secret_of_a_release_is_written_down_or_shown(release: Release) -> None:
    with Watch() as watch:
        release.doit("image", code=1, logged_in="wrong")
        release.doit("plan@dev", "format=json", code=1)  # nobody answers at the URL of the database
        release.doit("image", "format=json", code=0)
        release.doit("promote@dev", code=1)  # nor does it promote to what it cannot look at
        release.doit("promote@dev", code=0, without="SHOP_MAIN_DEV_URL")
        release.doit("promote@dev", code=0)
        release.doit("why", "promote@dev", "image", code=0)
        release.doit("status@dev", code=1)
        release.doit("plan@dev", "format=markdown", code=1)
        release.registry.process.kill()
        release.doit("why", "image", code=0)
    release.mono.settle()
    assert "unauthorized" in release.shown[0].lower()
    assert "pushed as sha256:" in release.shown[2]
    assert release.tokens.given
    assert git(release.remote, "rev-list", "--count", "main").strip() == "2"
    there = [path.read_bytes() for path in release.registry.folder.rglob("data")]
    assert any(b"CREATE TABLE users" in blob for blob in there), "layers can be searched as they lie there"
    assert any(b"git" in line and b"push" in line for line in watch.seen), "no push was sampled"

    known = shapes(PASSWORD, WRONG, URL_SECRET, TOKEN_SECRET) | {token.encode() for token in release.tokens.given}
    kept = {name: objects(folder) for name, folder in (("ours", release.mono.root), ("remote", release.remote))}
    assert b"CREATE TABLE users" in kept["remote"]
    for folder in (release.registry.folder, release.mono.root, release.remote, release.remote.parent / "temporary"):
        kept |= {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.is_symlink()}
    assert [(place, secret) for place, data in kept.items() for secret in known if secret in data] == []
    assert [(line, secret) for line in watch.seen for secret in known if secret in line] == []
    assert [(text, secret) for text in release.shown for secret in known if secret.decode() in text] == []
