"""Images are pushed to real registries, whole or not at all, and what they hold is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.errors import Refused, RegistryError
from schemas.image import labelled
from tests import registries
from tests.registries import PASSWORD, Registry
from tools import oci
from tools.oci.pull import labels
from tools.oci.registry import Registries


def quiet(_line: str) -> None:
    return


def small(text: bytes = b"one", architectures: tuple[str, ...] = ("amd64", "arm64")) -> oci.Image:
    shared = oci.layer({"/migrations/1_a.sql": (text, 0o644)}, "migrations")
    layers = {one: (oci.layer({"/goose": (one.encode() * 50_000, 0o755)}, "goose"), shared) for one in architectures}
    return oci.image(layers, {"User": "65532:65532", "Entrypoint": ["/goose"]})


@pytest.fixture(scope="module", name="plain")
def fixture_plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registries.registry(tmp_path_factory.mktemp("plain")) as one:
        yield one


@pytest.fixture(autouse=True)
def _no_logins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may be logged in somewhere."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "no logins"))
    for name in ("REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)


def test_an_image_is_there_once_it_was_pushed_with_the_digest_that_we_computed(plain: Registry) -> None:
    name, image = f"{plain.host}/shop/first:m-1", small()
    assert oci.digest(name) is None
    assert oci.push(name, image, quiet) == image.index.digest
    assert oci.digest(name) == image.index.digest
    assert oci.digest(f"{plain.host}/shop/first@{image.index.digest}") == image.index.digest
    assert plain.tags("shop/first") == ["m-1"]
    index = json.loads(plain.blob(image.index.digest))
    assert [one["platform"] for one in index["manifests"]] == [
        {"architecture": "amd64", "os": "linux"},
        {"architecture": "arm64", "os": "linux"},
    ]
    for one in index["manifests"]:
        manifest = json.loads(plain.blob(one["digest"]))
        assert all(
            len(plain.blob(part["digest"])) == part["size"] for part in [manifest["config"], *manifest["layers"]]
        )


def test_what_is_there_is_not_sent_again(plain: Registry) -> None:
    said: list[str] = []
    oci.push(f"{plain.host}/shop/again:m-1", small(), said.append)
    assert len(said) == 5
    oci.push(f"{plain.host}/shop/again:m-1", small(), said.append)
    oci.push(f"{plain.host}/shop/again:m-2", small(b"two"), said.append)
    assert len(said) == 5 + 3, "the migrations and the two configs"


def test_a_neighbours_layers_are_taken_within_the_registry(plain: Registry) -> None:
    said: list[str] = []
    with Registries() as ours:
        ours.push(f"{plain.host}/shop/one:m-1", small(), said.append)
        sent = len(said)
        ours.push(f"{plain.host}/shop/two:m-1", small(), said.append)
    assert len(said) == sent == 5
    assert oci.digest(f"{plain.host}/shop/two:m-1") == small().index.digest


def test_a_tag_that_is_taken_is_never_given_to_another_image(plain: Registry) -> None:
    name, first = f"{plain.host}/shop/taken:m-1", small()
    oci.push(name, first, quiet)
    with pytest.raises(Refused, match="is another image already") as caught:
        oci.push(name, small(b"other"), quiet)
    assert first.index.digest in caught.value.why
    assert oci.digest(name) == first.index.digest


def test_a_registry_that_wants_a_login_says_so_and_gets_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with registries.registry(tmp_path / "basic", **registries.basic(tmp_path)) as one:
        name = f"{one.host}/shop/one:m-1"
        with pytest.raises(RegistryError, match="HTTP 401") as caught:
            oci.digest(name)
        assert caught.value.todo == f"docker login {one.host}"
        monkeypatch.setenv("DOCKER_CONFIG", str(one.login(tmp_path / "docker")))
        assert oci.push(name, small(), quiet) == oci.digest(name)
        one.login(tmp_path / "docker", username=registries.USER, password="another horse")
        with pytest.raises(RegistryError, match="HTTP 401") as caught:
            oci.digest(name)
        assert "another horse" not in str(caught.value)


def test_a_registry_with_tokens_gets_one_for_what_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with registries.tokens(tmp_path) as (server, settings), registries.registry(tmp_path / "r", **settings) as one:
        monkeypatch.setenv("DOCKER_CONFIG", str(one.login(tmp_path / "docker")))
        assert oci.push(f"{one.host}/shop/one:m-1", small(), quiet) == small().index.digest
        assert oci.digest(f"{one.host}/shop/one:m-1") == small().index.digest
        assert {scope for asked in server.asked for scope in asked["scope"]} == {
            "repository:shop/one:pull,push",
            "repository:shop/one:pull",
        }
        one.login(tmp_path / "docker", identitytoken=PASSWORD)
        assert oci.digest(f"{one.host}/shop/one:m-1") == small().index.digest
        assert server.asked[-1]["method"] == "POST"
        one.login(tmp_path / "docker", identitytoken="expired")
        with pytest.raises(RegistryError, match="its server of tokens") as caught:
            oci.digest(f"{one.host}/shop/one:m-1")
        assert "expired" not in str(caught.value)


def test_a_registry_is_trusted_by_its_own_authority_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with registries.registry(tmp_path / "tls", tls=registries.authority()) as one:
        name = f"{one.host}/shop/one:m-1"
        with pytest.raises(RegistryError, match="is not trusted"):
            oci.digest(name)
        monkeypatch.setenv("SSL_CERT_FILE", str(one.folder / "authority.pem"))
        assert oci.digest(name) is None
        monkeypatch.delenv("SSL_CERT_FILE")
        place = tmp_path / "home" / ".docker" / "certs.d" / one.host
        place.mkdir(parents=True)
        (place / "ca.crt").write_bytes((one.folder / "authority.pem").read_bytes())
        assert oci.push(name, small(), quiet) == small().index.digest


def test_the_manifests_of_an_index_are_told_by_their_digests(plain: Registry) -> None:
    name, image = f"{plain.host}/shop/listed", small()
    oci.push(f"{name}:m-1", image, quiet)
    with Registries() as ours:
        listed = ours.manifests(f"{name}@{image.index.digest}")
        assert listed == {one.manifest.digest for one in image.platforms}
        with pytest.raises(RegistryError, match="it does not give shop/listed@sha256:"):
            ours.manifests(f"{name}@sha256:{'0' * 64}")


def test_the_labels_of_an_image_are_told_where_each_platform_has_the_same(plain: Registry) -> None:
    name = f"{plain.host}/shop/labelled"
    layers = {one: (oci.layer({"/goose": (one.encode(), 0o755)}, "goose"),) for one in ("amd64", "arm64")}
    image = oci.image(layers, {"Labels": {"gander.cart.files": '{"1_a.sql": "x"}'}})
    oci.push(f"{name}:m-1", image, quiet)
    with Registries() as ours:
        found = labels(f"{name}@{image.index.digest}", ours)
        assert labelled(found) == {"cart": {"1_a.sql": "x"}}
        with pytest.raises(RegistryError, match="nobody can tell what"):
            labels(f"{name}@sha256:{'0' * 64}", ours)
    assert labelled({"gander.cart.files": "no JSON"}) is None
    assert labelled({"gander.cart.files": "[1]"}) is None
