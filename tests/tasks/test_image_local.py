"""Which image Docker is given, and when the one that it has is the same: decided from what it tells, without it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.image.local import architecture, same
from tools import oci
from tools.docker import Held

SETTINGS = {"User": "65532:65532", "Entrypoint": ["/goose"], "Env": [], "Labels": {"gander.service": "shop"}}
LAYERS = [
    oci.layer({"/goose": (b"a program", 0o755)}, "goose"),
    oci.layer({"/migrations/1.sql": (b"", 0o644)}, "files"),
]
(MADE,) = oci.image({"amd64": LAYERS}, SETTINGS).platforms
CLASSIC = Held(
    id=MADE.config.digest,
    architecture="amd64",
    layers=tuple(one.digest for one in LAYERS),
    settings={**SETTINGS, "Env": None, "Hostname": ""},
)
CONTAINERD = replace(CLASSIC, id=MADE.manifest.digest)


@pytest.mark.parametrize(
    ("platforms", "daemon", "chosen"),
    [
        (("linux/amd64", "linux/arm64"), "arm64", "arm64"),
        (("linux/amd64",), "amd64", "amd64"),
        (("linux/amd64",), "arm64", "amd64"),
        (("linux/amd64", "linux/arm64"), "riscv64", "amd64"),
    ],
)
def test_a_daemon_gets_its_own_architecture_and_else_the_first(
    platforms: tuple[str, ...], daemon: str, chosen: str
) -> None:
    assert architecture(platforms, daemon) == chosen


@pytest.mark.parametrize("held", [CLASSIC, CONTAINERD, replace(CLASSIC, layers=(), settings={})])
def test_an_image_is_known_by_its_id_or_by_all_that_it_is_made_of(held: Held) -> None:
    assert same(held, MADE)


@pytest.mark.parametrize(
    "held",
    [
        replace(CONTAINERD, architecture="arm64"),
        replace(CONTAINERD, layers=CONTAINERD.layers[:1]),
        replace(CONTAINERD, layers=(CONTAINERD.layers[0], CONTAINERD.layers[0])),
        replace(CONTAINERD, settings={**SETTINGS, "User": "0"}),
        replace(CONTAINERD, settings={**SETTINGS, "Labels": {"gander.service": "cart"}}),
    ],
)
def test_an_image_that_differs_in_anything_is_another(held: Held) -> None:
    assert not same(held, MADE)
