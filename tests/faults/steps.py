"""A monorepo whose steps are killed, and what must hold of its files and processes afterwards."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults import processes
from tests.faults.monorepo import Monorepo
from tests.faults.processes import Process
from tools import whole

FIRST, SECOND = "20260101000001_a.sql", "20260101000002_b.sql"
TABLE = "-- +goose Up\nCREATE TABLE {0} (id TEXT PRIMARY KEY);\n-- +goose Down\nDROP TABLE {0};\n"


def folder(monorepo: Monorepo) -> Path:
    return monorepo.root / "services" / "ant-service" / "migrations"


def git(monorepo: Monorepo, *words: str) -> str:
    command = [shutil.which("git") or "git", *words]
    return subprocess.run(command, cwd=monorepo.root, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module", name="ours")
def fixture_ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monorepo]:
    """A monorepo in git: one service with two merged migrations, at head; nothing else is in its state."""
    root = tmp_path_factory.mktemp("steps") / "monorepo"
    one = Monorepo(root=root)
    folder(one).mkdir(parents=True)
    entry = {"databases": {"ant": {"engine": "postgres", "name": "ant"}}}
    (root / "services.yaml").write_text(json.dumps({"version": 1, "services": {"ant-service": entry}}))
    (root / ".gitignore").write_text(".state/\n")
    (folder(one) / FIRST).write_text(TABLE.format("a"))
    (folder(one) / SECOND).write_text(TABLE.format("b"))
    git(one, "init", "-q", "-b", "main")
    for name, value in (("user.name", "Someone"), ("user.email", "someone@example.com"), ("commit.gpgsign", "false")):
        git(one, "config", name, value)
    git(one, "add", "--all")
    git(one, "commit", "-qm", "first")
    git(one, "tag", "first")
    yield one
    one.doit("stop")
    assert processes.gone(root) == []


def quiet(monorepo: Monorepo) -> None:
    """Wait until nothing that the killed run has started is at work but a server, which the next run may use."""
    until(lambda: all(map(of_server, processes.of(monorepo.root, anywhere=True))))


def anew(monorepo: Monorepo, at: str = "first") -> None:
    """Bring the files back to what a commit holds; what git ignores stays."""
    git(monorepo, "reset", "-q", "--hard", at)
    git(monorepo, "clean", "-fdq")


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def of_server(one: Process) -> bool:
    return one.kind in {"keeper", "postmaster"} or one.command.startswith("postgres: ")


def nothing_left(monorepo: Monorepo) -> None:
    """Nobody's half-written file is there any more, and git can go on."""
    root, state = monorepo.root, monorepo.root / ".state"
    assert [path for path in (*root.rglob(".*"), *state.rglob("*")) if whole.is_part(path)] == []
    assert list(state.glob("catalog.json.*")) == []
    assert list((root / ".git").glob("*.lock")) == []
    git(monorepo, "fsck", "--no-progress")
    assert json.loads((state / "catalog.json").read_text().partition("\n")[2])
    assert (state / ".gitignore").read_text() == "*\n"
