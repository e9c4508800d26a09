"""Embedded engines of ClickHouse for tests, and other processes that use their servers."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.tools.conftest import quiet, users, wait
from tools.clickhouse import Embedded
from tools.clickhouse.server import Connected

ROOT = Path(__file__).parents[2]
USER_OF_A_SERVER = """
import sys
from pathlib import Path
from tools.clickhouse import Embedded
with Embedded(Path(sys.argv[1]), lambda: frozenset(sys.argv[2:])).serve(lambda line: None) as server:
    print(server.url("one", application="test").rpartition("@")[2], flush=True)
    sys.stdin.read()
"""
Hold = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(name="engine")
def fixture_engine(tmp_path: Path) -> Iterator[Embedded]:
    """An embedded engine that is down; whatever the test starts is stopped."""
    one = Embedded(tmp_path / "clickhouse")
    yield one
    one.stop(quiet)
    assert gone(one)


@pytest.fixture(name="hold")
def fixture_hold() -> Iterator[Hold]:
    """Start another process that uses the server of a home until its standard input ends."""
    with users(USER_OF_A_SERVER) as start:
        yield lambda place, *clusters: start(str(place), *clusters)


def gone(engine: Embedded) -> bool:
    return wait(lambda: not engine._kept.alive(), 15)


def where(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def leave(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.wait()


def run(server: Connected, *statements: str) -> None:
    for statement in statements:
        server.address.query(statement)
