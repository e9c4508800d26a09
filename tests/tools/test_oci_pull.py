"""Images that begin with another: what that is made of is read by its digest, and nothing of it is believed unseen."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from schemas.errors import GanderError, Refused, RegistryError
from tests import registries
from tests.registries import Registry
from tools import oci

DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"


def quiet(_line: str) -> None:
    return


@pytest.fixture(scope="module", name="registry")
def fixture_registry(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with registries.registry(tmp_path_factory.mktemp("registry"), notes=True) as one:
        yield one


@pytest.fixture(autouse=True)
def _no_logins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may be logged in somewhere."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "no logins"))
    for name in ("REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)


class Hand:
    """Pushes what our own writer does not write: images as Docker makes them, and broken ones."""

    def __init__(self, registry: Registry, repository: str) -> None:
        self.name = f"{registry.host}/{repository}"
        self.url = f"http://{registry.host}/v2/{repository}"

    def blob(self, data: bytes, kind: str) -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        with httpx.Client(trust_env=False) as client:
            place = client.post(f"{self.url}/blobs/uploads/").headers["location"]
            client.put(str(httpx.URL(place).copy_merge_params({"digest": digest})), content=data).raise_for_status()
        return {"mediaType": kind, "digest": digest, "size": len(data)}

    def manifest(self, document: dict[str, Any]) -> dict[str, Any]:
        data = json.dumps(document).encode()
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        with httpx.Client(trust_env=False) as client:
            headers = {"Content-Type": document["mediaType"]}
            client.put(f"{self.url}/manifests/{digest}", content=data, headers=headers).raise_for_status()
        return {"mediaType": document["mediaType"], "digest": digest, "size": len(data)}

    def image(self, layers: list[bytes], kind: str = DOCKER_LAYER, **config: Any) -> dict[str, Any]:
        """One machine's image, its layers compressed."""
        tars = [f"sha256:{hashlib.sha256(data).hexdigest()}" for data in layers]
        known = {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": tars}, **config}
        return self.manifest(
            {
                "schemaVersion": 2,
                "mediaType": DOCKER_MANIFEST,
                "config": self.blob(json.dumps(known).encode(), DOCKER_CONFIG),
                "layers": [self.blob(gzip.compress(data), kind) for data in layers],
            }
        )


def layer(path: str) -> oci.Layer:
    return oci.layer({path: (path.encode() * 100, 0o644)}, path)


def read(registry: Registry, digest: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Manifest and config of an index's only image."""
    (entry,) = json.loads(registry.blob(digest))["manifests"]
    manifest = json.loads(registry.blob(entry["digest"]))
    return manifest, json.loads(registry.blob(manifest["config"]["digest"]))


def test_an_image_on_a_base_of_docker_has_its_layers_first_and_what_it_says_of_its_surroundings(
    registry: Registry,
) -> None:
    hand = Hand(registry, "team/base")
    lower, upper = layer("/etc/a").data, layer("/etc/b").data
    settings = {
        "Env": ["PATH=/bin", "ZONE=base"],
        "Labels": {"team": "base", "ours": "no"},
        "Entrypoint": ["/bin/sh"],
        "User": "0",
        "ExposedPorts": {"80/tcp": {}},
    }
    history = [{"created_by": "a"}, {"created_by": "nothing", "empty_layer": True}, {"created_by": "b"}]
    amd = hand.image([lower, upper], config=settings, history=history)
    arm = hand.image([lower], architecture="arm64")
    listed = [
        {**arm, "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
        {**amd, "platform": {"os": "linux", "architecture": "amd64"}},
    ]
    index = hand.manifest({"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": listed})
    base = oci.pull(f"{hand.name}@{index['digest']}", "amd64", quiet)
    own = layer("/goose")
    made = oci.image({"amd64": [own]}, {"Env": ["ZONE=ours"], "Labels": {"ours": "yes"}, "User": "1"}, {"amd64": base})

    before = len(registry.requests())
    pushed = oci.push(f"{registry.host}/team/made:m-1", made, quiet)
    asked = registry.requests()[before:]
    assert any("mount=" in one and "from=team" in one for one in asked), "a neighbour's layers are not sent"
    assert not [one for one in asked if one.startswith("GET /v2/team/base/blobs")]

    manifest, config = read(registry, pushed)
    assert [one["digest"] for one in manifest["layers"]] == [
        *(json.loads(registry.blob(amd["digest"]))["layers"][number]["digest"] for number in (0, 1)),
        own.digest,
    ]
    assert {one["mediaType"] for one in manifest["layers"][:2]} == {"application/vnd.oci.image.layer.v1.tar+gzip"}
    assert config["rootfs"]["diff_ids"] == [
        *(f"sha256:{hashlib.sha256(data).hexdigest()}" for data in (lower, upper)),
        own.digest,
    ]
    assert config["config"] == {
        "Env": ["PATH=/bin", "ZONE=ours"],
        "Labels": {"team": "base", "ours": "yes"},
        "User": "1",
    }
    assert [one["created_by"] for one in config["history"]] == ["a", "nothing", "b", "/goose"]
    other = oci.pull(f"{hand.name}@{index['digest']}", "arm64", quiet)
    assert len(other.layers) == 1
    assert len(other.history) == 1, "a config that tells no history gets one line a layer"


def test_layers_go_to_another_registry_byte_for_byte(registry: Registry, tmp_path: Path) -> None:
    hand = Hand(registry, "team/far")
    base = hand.image([layer("/etc/far").data])
    said: list[str] = []
    with registries.registry(tmp_path / "other") as other:
        lent = oci.pull(f"{hand.name}@{base['digest']}", "amd64", said.append)
        made = oci.image({"amd64": [layer("/goose")]}, {}, {"amd64": lent})
        digest = oci.push(f"{other.host}/made:m-1", made, quiet)
        (first, _) = read(other, digest)[0]["layers"]
        assert gzip.decompress(other.blob(first["digest"])) == layer("/etc/far").data
    assert said == [f"fetching 0.0 MB from {hand.name}"]


def wrong(registry: Registry, number: int, change: Callable[[Hand], dict[str, Any]]) -> GanderError:
    hand = Hand(registry, f"team/wrong-{number}")
    with pytest.raises(GanderError) as caught:
        oci.pull(f"{hand.name}@{change(hand)['digest']}", "amd64", quiet)
    return caught.value


def test_what_cannot_be_built_on_is_refused(registry: Registry) -> None:
    def listless(hand: Hand) -> dict[str, Any]:
        config = hand.blob(b'{"os": "linux", "architecture": "amd64"}', DOCKER_CONFIG)
        return hand.manifest({"schemaVersion": 2, "mediaType": DOCKER_MANIFEST, "config": config, "layers": []})

    missing = wrong(registry, 1, lambda _: {"digest": f"sha256:{'0' * 64}"})
    assert isinstance(missing, RegistryError)
    assert "does not have the base of images" in missing.what
    other = wrong(registry, 2, lambda hand: hand.image([b"x"], architecture="arm64"))
    assert isinstance(other, Refused)
    assert "is not there for linux/amd64" in other.what
    windows = wrong(registry, 3, lambda hand: hand.image([b"x"], os="windows"))
    assert isinstance(windows, Refused)
    foreign = wrong(
        registry, 4, lambda hand: hand.image([b"x"], "application/vnd.docker.image.rootfs.foreign.diff.tar")
    )
    assert "cannot be taken over" in foreign.why
    assert "its layers are not those of its config" in wrong(registry, 5, listless).why
    short = wrong(registry, 6, lambda hand: hand.image([b"x"], rootfs={"diff_ids": ["sha256:" + "0" * 64] * 2}))
    assert "its layers are not those of its config" in short.why


def test_a_registry_that_gives_other_bytes_is_not_believed(registry: Registry) -> None:
    hand = Hand(registry, "team/forged")
    base = hand.image([layer("/etc/forged").data])
    begun = oci.pull(f"{hand.name}@{base['digest']}", "amd64", quiet)
    (lent,) = begun.layers
    place = registry.folder / "docker" / "registry" / "v2" / "blobs" / "sha256"
    file = place / lent.digest[7:9] / lent.digest[7:] / "data"
    file.write_bytes(bytes(len(file.read_bytes())))
    with pytest.raises(RegistryError, match="is no image that can be built on") as caught:
        _ = lent.data
    assert "has another digest" in caught.value.why
