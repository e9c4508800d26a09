"""`doit image push=false`: the image in a real Docker, which runs it as the cluster does; and what is said without."""

from __future__ import annotations

import io
import json
import socket
import tarfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from docker import APIClient

from schemas.errors import ToolError
from tests.journeys.conftest import Make, Monorepo, counts
from tests.playground import SETTINGS, git
from tools import docker, shell
from tools.docker import Docker

HEAD = "image: {repository: 'registry.example.com/tests/{service}', platforms: [linux/amd64, linux/arm64]}"
USERS = "-- +goose Up\nCREATE TABLE users (id TEXT);\n\n-- +goose Down\nDROP TABLE users;\n"
MORE = "-- +goose Up\nCREATE TABLE more (id TEXT);\n\n-- +goose Down\nDROP TABLE more;\n"


@pytest.fixture(name="sdk")
def fixture_sdk(host: str) -> Iterator[APIClient]:
    """The daemon as somebody else reaches it; what a test has loaded is gone afterwards."""
    with APIClient(base_url=host or None) as client:
        yield client
        for image in client.images(filters={"label": "gander.service"}):
            if any(name.startswith("registry.example.com/tests/") for name in image["RepoTags"] or ()):
                client.remove_image(image["Id"], force=True)


@pytest.fixture(name="mono")
def fixture_mono(make: Make) -> Monorepo:
    """Two services, committed."""
    monorepo = make({"shop": {"00001_users.sql": USERS, "00002_more.sql": MORE}, "cart": {"00001_a.sql": USERS}}, HEAD)
    (monorepo.root / ".gitignore").write_text(".state\n")
    monorepo.commit()
    for setting, value in SETTINGS.items():
        git(monorepo.root, "config", setting, value)
    return monorepo


def image(mono: Monorepo) -> dict[str, str]:
    told: dict[str, str] = json.loads(mono.fine("image:shop", "push=false", "format=json").stdout)
    return told


def test_an_image_is_loaded_once_and_again_only_where_docker_has_lost_it_or_has_another_by_its_name(
    mono: Monorepo, sdk: APIClient
) -> None:
    first = mono.fine("image", "push=false")
    assert counts(first) == (2, 0, 0)
    assert "2 files of " in first.stderr
    assert "loaded into Docker" in first.stderr
    again = mono.fine("image", "push=false")
    assert counts(again) == (0, 2, 0)
    shop = image(mono)
    name = f"{shop['repository']}:{shop['tag']}"
    assert f"Docker has {name}" in again.stderr
    there = sdk.inspect_image(name)
    assert there["Id"] == shop["id"]
    assert there["Config"]["User"] == "65532:65532"
    sdk.remove_image(name, force=True)
    lost = mono.fine("image", "push=false")
    assert counts(lost) == (1, 1, 0)
    assert image(mono) == shop
    (other,) = (one for one in sdk.images(name="registry.example.com/tests/cart") if one["Id"] != shop["id"])
    sdk.tag(other["Id"], shop["repository"], shop["tag"], force=True)
    assert counts(mono.fine("image:shop", "push=false")) == (1, 0, 0)
    assert sdk.inspect_image(name)["Id"] == shop["id"]


def test_the_image_runs_as_the_cluster_runs_it_and_migrates_a_database(mono: Monorepo, sdk: APIClient) -> None:
    shop = image(mono)
    server = mono.urls()["shop/main"]
    url = server.replace("/shop_main?", "/deployed?")
    with psycopg.connect(server.replace("/shop_main?", "/postgres?"), autocommit=True) as local:
        local.execute("CREATE DATABASE deployed")
        shell.hide(url)
        lines: list[str] = []
        found = docker.usable()
        assert isinstance(found, Docker)
        with found as opened:
            settings = {
                "GOOSE_DRIVER": "postgres",
                "GOOSE_DBSTRING": url,
                "GOOSE_MIGRATION_DIR": "/migrations",
                "GOOSE_TABLE": "shop_versions",
            }
            for _ in range(2):
                done = opened.run(
                    shop["id"],
                    environment=settings,
                    user="65532",
                    network="host",
                    deadline=120,
                    on_line=lines.append,
                )
                assert done.code == 0, done.out
            bad = opened.run(
                shop["id"], environment={**settings, "GOOSE_DBSTRING": f"{url}&nosuch=1"}, network="host", deadline=120
            )
            assert bad.code != 0
            for program in ("/bin/sh", "/bin/bash", "/bin/busybox"):
                with pytest.raises(ToolError, match="Docker does not start"):
                    opened.run(shop["id"], ["-c", "true"], entrypoint=[program], environment={}, deadline=60)
        with psycopg.connect(url) as deployed:
            ran = deployed.execute("SELECT version_id FROM shop_versions ORDER BY id").fetchall()
            tables = deployed.execute("SELECT relname FROM pg_class WHERE relname IN ('users', 'more')").fetchall()
        assert ran == [(0,), (1,), (2,)]
        assert len(tables) == 2
        assert any("00002_more.sql" in line for line in lines)
        assert any("no migrations to run" in line for line in lines)
        password = url.partition("gander:")[2].partition("@")[0]
        assert password
        assert password not in json.dumps(sdk.inspect_image(shop["id"]))
        assert password not in "".join(lines)
        local.execute("DROP DATABASE deployed")


DOCKERFILE = """\
FROM scratch
COPY Dockerfile /etc/authority.pem
ENV SSL_CERT_FILE=/etc/authority.pem
USER 0
ENTRYPOINT ["/bin/sh"]
"""


def built(sdk: APIClient, repository: str) -> str:
    """What Docker makes of a Dockerfile and pushes: its name with its digest."""
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as tar:
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(DOCKERFILE)
        tar.addfile(entry, io.BytesIO(DOCKERFILE.encode()))
    context.seek(0)
    said = list(sdk.build(fileobj=context, custom_context=True, tag=f"{repository}:v1", rm=True, decode=True))
    assert not [line for line in said if "error" in line], said
    said = list(sdk.push(repository, "v1", stream=True, decode=True))
    sdk.remove_image(f"{repository}:v1")
    (digest,) = [line["aux"]["Digest"] for line in said if "aux" in line]
    return f"{repository}:v1@{digest}"


def test_an_image_begins_with_what_docker_made_of_a_dockerfile(mono: Monorepo, sdk: APIClient, images: str) -> None:
    base = built(sdk, f"{images}/base")
    architecture = sdk.version()["Arch"]
    listed = mono.root / "services.yaml"
    head = HEAD.replace("image: {", f"image: {{base: '{base}', ")
    head = head.replace("linux/amd64, linux/arm64", f"linux/{architecture}")
    listed.write_text(listed.read_text().replace(HEAD, head))
    git(mono.root, "commit", "--quiet", "--all", "--message", "a base")
    shop = image(mono)
    assert counts(mono.fine("image:shop", "push=false")) == (0, 1, 0)
    held = sdk.inspect_image(shop["id"])
    assert held["Config"]["Env"][-2:] == ["SSL_CERT_FILE=/etc/authority.pem", "GOOSE_MIGRATION_DIR=/migrations"]
    found = docker.usable()
    assert isinstance(found, Docker)
    with found as opened:
        done = opened.run(shop["id"], ["-version"], environment={}, deadline=60)
    assert done.code == 0
    assert "goose version" in done.out
    with tarfile.open(fileobj=io.BytesIO(b"".join(sdk.get_image(shop["id"])))) as saved:
        layers = [saved.extractfile(one) for one in saved if one.isfile()]
        assert any(b"ENV SSL_CERT_FILE" in layer.read() for layer in layers if layer)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("unix:///nosuch/docker.sock", "there is no such socket"),
        ("tcp://127.0.0.1:1", "nobody listens there"),
        ("carrier://pigeon", "Invalid bind address protocol"),
    ],
)
def test_without_a_daemon_it_says_why_and_what_to_do(make: Make, address: str, why: str) -> None:
    mono = make({"shop": {"00001_users.sql": USERS}}, HEAD)
    mono.commit()
    done = mono.doit("image:shop", "push=false", DOCKER_HOST=address)
    assert done.returncode == 1
    assert address in done.stderr
    assert why in done.stderr
    assert "correct DOCKER_HOST, or unset it and start Docker" in done.stderr
    assert "leave push=false out: to push an image takes no Docker" in done.stderr
    assert "lint and test" not in done.stderr, "nothing was done in vain"
    assert "ResourceWarning" not in done.stderr


def test_whom_the_socket_does_not_let_in_is_told_how_to_get_in(make: Make, tmp_path: Path) -> None:
    mono = make({"shop": {"00001_users.sql": USERS}}, HEAD)
    mono.commit()
    closed = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(closed))
        listening.listen()
        closed.chmod(0o000)
        done = mono.bound_by_modes.doit("image:shop", "push=false", DOCKER_HOST=f"unix://{closed}")
    assert done.returncode == 1
    assert f"no permission on unix://{closed}" in done.stderr
    assert 'sudo usermod -aG docker "$USER"' in done.stderr
