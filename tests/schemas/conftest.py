"""What the tests of this floor share: goose itself, ready to be asked about files and folders."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.toolchain import go, golang, store

PEER = Path(__file__).with_name("goose_peer")

Ask = Callable[[dict[str, Any]], dict[str, Any]]


def build(part: Path) -> None:
    store.step(
        [go(print), "build", "-trimpath", "-buildvcs=false", "-o", part / "peer", "."],
        what="building the peer of goose",
        todo="check the network and Go's settings, then run the tests again",
        changes=golang.settings(),
        cwd=PEER,
    )


@pytest.fixture(scope="session")
def ask_goose() -> Iterator[Ask]:
    made_of = [PEER / name for name in ("main.go", "go.mod", "go.sum")]
    folder = store.provide(store.place("goose-peer", made_of), build, doing="building the peer of goose", say=print)
    with subprocess.Popen([folder / "peer"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as peer:

        def ask(request: dict[str, Any]) -> dict[str, Any]:
            assert peer.stdin is not None
            assert peer.stdout is not None
            peer.stdin.write(json.dumps(request).encode() + b"\n")
            peer.stdin.flush()
            answer: dict[str, Any] = json.loads(peer.stdout.readline())
            return answer

        yield ask
