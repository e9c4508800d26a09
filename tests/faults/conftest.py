"""Monorepos for the tests of faults, and the lines that tell what was hit."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults import monorepo, processes
from tests.faults.monorepo import ANT, Monorepo

SEED = "GANDER_FAULTS_SEED"

Tell = Callable[[str], None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """These tests look at processes through /proc."""
    for item in items:
        if Path(__file__).parent in item.path.parents and sys.platform != "linux":
            item.add_marker(pytest.mark.skip(reason="the faults are made and watched through /proc: needs Linux"))


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Tell:
    """Show a line whatever the verdict; on stderr, which also reaches the terminal from a worker of pytest-xdist."""

    def line(text: str) -> None:
        with capsys.disabled():
            sys.stderr.write(f"\n{text}\n")

    return line


@pytest.fixture(scope="session")
def seed() -> int:
    """The seed of every random moment; GANDER_FAULTS_SEED repeats that of an earlier run."""
    return int(os.environ.get(SEED) or random.SystemRandom().randrange(1_000_000))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monorepo]:
    """One monorepo for a whole module; each test drops the databases that it wants to see built."""
    one = monorepo.build(tmp_path_factory.mktemp("shared") / "monorepo")
    yield one
    _over(one)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Monorepo:
    """A monorepo with one database at head and its server stopped; to be copied."""
    one = monorepo.build(tmp_path_factory.mktemp("finished") / "monorepo", (ANT,), rows=1000, pause=0)
    assert one.doit("migrate").code == 0
    assert processes.gone(one.root) == []
    return one


@pytest.fixture
def ant(finished: Monorepo, tmp_path: Path) -> Iterator[Monorepo]:
    """A copy of that monorepo for one test."""
    place = tmp_path / "monorepo"
    subprocess.run(["/bin/cp", "-a", str(finished.root), str(place)], check=True)
    one = Monorepo(root=place)
    yield one
    _over(one)


@pytest.fixture
def cold(tmp_path: Path) -> Iterator[Monorepo]:
    """A monorepo that nobody has used yet."""
    one = monorepo.build(tmp_path / "monorepo")
    yield one
    _over(one)


def _over(one: Monorepo) -> None:
    """Stop what may run, and see that it does."""
    one.doit("stop")
    assert processes.gone(one.root) == []
