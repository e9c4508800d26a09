"""An Argo CD with one release that went well, and somebody who asks it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.argocd_standin.release import released
from tests.argocd_standin.server import TOKEN, World, serving
from tools.argocd import Login, Server

COMMIT = "74de4fa726a32a125f73af5cb25606d9f5cf63c2"
IMAGE = f"registry.example.com/shop/cart:m-0123456789abcdef@sha256:{'a' * 64}"
LOG = "2026/11/23 04:56:47 goose: no migrations to run. current version: 1"


@pytest.fixture(name="world")
def fixture_world() -> Iterator[World]:
    with serving() as world:
        released(world, "cart-dev", image=IMAGE, revision=COMMIT, logs={"cart-migrate": LOG})
        yield world


@pytest.fixture(name="pauses")
def fixture_pauses() -> list[float]:
    return []


@pytest.fixture(name="server")
def fixture_server(world: World, pauses: list[float]) -> Iterator[Server]:
    one = Server(Login(world.url, TOKEN, "ARGOCD_AUTH_TOKEN"), pause=pauses.append, patience=0.5)
    yield one
    one.close()
