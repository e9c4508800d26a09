"""Logins are found where Docker and Podman keep them, and never shown."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest

from schemas.errors import RegistryError
from tools.oci.credentials import find
from tools.oci.reference import loopback, parse

HOST = "registry.example.com:5000"
SECRET = "s3cret of nobody"


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    for name in ("REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)


def write(folder: Path, config: object) -> None:
    (folder / "config.json").write_text(json.dumps(config))


def helper(folder: Path, name: str, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that answers as credential helpers do."""
    path = folder / f"docker-credential-{name}"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize("name", [HOST, f"https://{HOST}", f"https://{HOST}/v2/", f"http://{HOST}/v1/"])
def test_a_login_is_found_however_docker_wrote_the_registrys_name(name: str, tmp_path: Path) -> None:
    auth = base64.b64encode(f"someone:{SECRET}:with a colon".encode()).decode()
    write(tmp_path, {"auths": {"other.example.com": {"auth": "eDp5"}, name: {"auth": auth}}})
    found = find(HOST)
    assert found is not None
    assert (found.user, found.password) == ("someone", f"{SECRET}:with a colon")
    assert find("registry.example.com") is None


def test_without_any_file_there_is_no_login() -> None:
    assert find(HOST) is None


def test_a_helper_for_the_registry_goes_before_the_one_for_all_and_is_asked_on_its_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = json.dumps({"Username": "of the helper", "Secret": SECRET})
    helper(tmp_path, "own", f"echo \"$* $(cat)\" >> {tmp_path}/asked; echo '{answer}'", monkeypatch)
    write(tmp_path, {"credsStore": "none-such", "credHelpers": {HOST: "own"}})
    found = find(HOST)
    assert found is not None
    assert (found.user, found.password, found.source) == ("of the helper", SECRET, "docker-credential-own")
    assert (tmp_path / "asked").read_text() == f"get {HOST}\n"
    with pytest.raises(RegistryError, match="docker-credential-none-such, which is not on the PATH"):
        find("other.example.com")


def test_a_helper_may_give_an_identity_token_or_hold_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(tmp_path, "all", f"echo '{json.dumps({'Username': '<token>', 'Secret': SECRET})}'", monkeypatch)
    write(tmp_path, {"credsStore": "all"})
    found = find(HOST)
    assert found is not None
    assert (found.identity_token, found.password) == (SECRET, "")
    helper(tmp_path, "all", "echo credentials not found in native keychain; exit 1", monkeypatch)
    assert find(HOST) is None


@pytest.mark.parametrize("script", [f"echo {SECRET}; echo broken >&2; exit 1", f"echo {SECRET}", "echo '[1]'"])
def test_a_helper_that_fails_is_named_and_what_it_printed_is_not_shown(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper(tmp_path, "bad", script, monkeypatch)
    write(tmp_path, {"credsStore": "bad"})
    with pytest.raises(RegistryError, match="docker-credential-bad") as caught:
        find(HOST)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("text", [f'{{"auths": {{"x": "{SECRET}" }}', "[]", "", "\0", "[" * 100_000])
def test_a_file_of_logins_that_is_none_is_named_and_not_shown(text: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(RegistryError, match=r"config\.json") as caught:
        find(HOST)
    assert SECRET not in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "config.json"))


def test_a_login_that_is_no_base64_is_an_error_and_not_shown(tmp_path: Path) -> None:
    write(tmp_path, {"auths": {HOST: {"auth": SECRET}}})
    with pytest.raises(RegistryError, match="is not readable") as caught:
        find(HOST)
    assert SECRET not in str(caught.value)


def test_podmans_file_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"auths": {HOST: {"username": "docker", "password": SECRET}}})
    (tmp_path / "auth.json").write_text(json.dumps({"auths": {HOST: {"username": "podman", "password": SECRET}}}))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    found = find(HOST)
    assert found is not None
    assert found.user == "podman"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("example.com/a", ("example.com", "a", "", "")),
        ("example.com:5000/a/b-c:m-1", ("example.com:5000", "a/b-c", "m-1", "")),
        ("localhost/a:1", ("localhost", "a", "1", "")),
        ("[::1]:5000/a", ("[::1]:5000", "a", "", "")),
        (f"example.com/a:t@sha256:{'0' * 64}", ("example.com", "a", "t", f"sha256:{'0' * 64}")),
    ],
)
def test_the_parts_of_an_images_name(text: str, parts: tuple[str, ...]) -> None:
    assert tuple(parse(text)) == parts


@pytest.mark.parametrize(
    "text",
    ["", "a", "shop/a", "example.com/A", "example.com/a:", "example.com/a@sha256:1", "example.com/a b", "-x.y/a"],
)
def test_what_names_no_image_in_a_registry_is_refused(text: str) -> None:
    with pytest.raises(RegistryError, match="does not name an image"):
        parse(text)


@pytest.mark.parametrize("host", ["localhost", "localhost:5000", "127.0.0.1:1", "127.8.9.1", "[::1]:5000", "[::1]"])
def test_a_loopback_host_is_known(host: str) -> None:
    assert loopback(host)


@pytest.mark.parametrize("host", ["localhost.example.com", "127.0.0.1.example.com:1", "10.0.0.1", "[fe80::1]", ""])
def test_any_other_host_is_none(host: str) -> None:
    assert not loopback(host)
