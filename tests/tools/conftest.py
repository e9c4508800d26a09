"""Real PostgreSQL for the tests of ``tools``: a data directory made once and copied, and one server to ask things."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tools import toolchain
from tools.account import Account
from tools.postgres import Embedded
from tools.postgres.account import choose
from tools.postgres.server import Connected

ROOT = Path(__file__).parents[2]
USER_OF_A_SERVER = """
import sys
from pathlib import Path
from tools.postgres import Embedded
with Embedded(Path(sys.argv[1]), Path(sys.argv[2])).serve(lambda line: None) as server:
    print(server.url("postgres", application="test").rpartition("@")[2], flush=True)
    sys.stdin.read()
"""

Hold = Callable[[Path], subprocess.Popen[str]]
ByHand = Callable[[Embedded], subprocess.Popen[bytes]]


def quiet(line: str) -> None:
    """Say nothing."""


def wait(true: Callable[[], bool], seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def facts(home: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((home / "server.json").read_text())
    return read


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder of PostgreSQL's bin, as the project installs it."""
    return toolchain.postgres(print)


@pytest.fixture(scope="session")
def template(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a server that has run once and has been stopped."""
    home = tmp_path_factory.mktemp("template") / "postgres"
    engine = Embedded(home, programs)
    with engine.serve(print):
        pass
    _until_gone(engine)
    return home


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    """A home of its own for one test."""
    place = tmp_path / "postgres"
    subprocess.run(["/bin/cp", "-a", str(template), str(place)], check=True)
    return place


@pytest.fixture
def engine(home: Path, programs: Path) -> Iterator[Embedded]:
    """An embedded engine that is down; whatever the test starts is stopped."""
    one = Embedded(home, programs)
    yield one
    one.stop(print)
    _until_gone(one)


@pytest.fixture
def hold(programs: Path) -> Iterator[Hold]:
    """Start another process that uses the server of a home until its standard input ends."""
    with users(USER_OF_A_SERVER) as start:
        yield lambda place: start(str(place), str(programs))


@contextmanager
def users(script: str) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start processes of that script, each with words of its own; all are ended with it."""
    processes = []

    def start(*words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", script, *words],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream:
                stream.close()


def as_nobody(home: Path, engine: str, *words: str) -> str:
    """Have an engine at a home begun, asked and ended by an account that is not root's; which databases it settled."""
    user = pwd.getpwnam("nobody")
    # it reads what only root may enter, such as this interpreter; it is no root and owns its home only
    account = Account(name="nobody", uid=user.pw_uid, gid=user.pw_gid, capability="dac_read_search")
    account.own(home.parent)
    journey = (
        f"import os, sys; from pathlib import Path; from {engine} import Embedded\n"
        "engine = Embedded(*map(Path, sys.argv[1:]))\n"
        "with engine.serve(print) as server: print(os.geteuid(), bool(server.create('one', None)))\n"
        "engine.stop(print); print(*sorted(engine.settled()))\n"
    )
    kept = {name: os.environ[name] for name in ("PATH", "GANDER_TOOLS") if name in os.environ}
    done = subprocess.run(
        account.command((sys.executable, "-c", journey, str(home), *words)),
        cwd=ROOT,
        env=kept | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *_, created, settled = done.stdout.splitlines()
    assert created == f"{user.pw_uid} True"
    assert (home / "data").stat().st_uid == user.pw_uid
    return settled


@pytest.fixture
def by_hand(programs: Path) -> Iterator[ByHand]:
    """Start a postgres on an engine's data directory, as somebody would who knows nothing of us."""
    processes = []

    def start(engine: Embedded) -> subprocess.Popen[bytes]:
        words: tuple[str, ...] = (
            str(programs / "bin" / "postgres"),
            "-D",
            str(engine.home.data),
            "-k",
            str(engine.home.sockets),
        )
        words += ("-p", "1", "-c", "listen_addresses=")
        account = choose(engine.home.data, programs / "bin")
        process = subprocess.Popen(
            account.command(words) if account else words, env={"LC_ALL": "C"}, stderr=subprocess.DEVNULL
        )
        processes.append(process)
        status = engine.home.data / "postmaster.pid"
        while not (status.exists() and "ready" in status.read_text()):
            assert process.poll() is None
            time.sleep(0.02)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def server(template: Path, programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    """One running server for all tests that only ask and change their own databases."""
    place = tmp_path_factory.mktemp("server") / "postgres"
    subprocess.run(["/bin/cp", "-a", str(template), str(place)], check=True)
    engine = Embedded(place, programs)
    with engine.serve(print) as one:
        yield one
    _until_gone(engine)


@pytest.fixture
def database(server: Connected) -> Iterator[str]:
    """A database of its own for one test."""
    name = f"test_{uuid4().hex[:8]}"
    server.create(name, None)
    yield name
    server.drop(name)


@pytest.fixture
def execute(server: Connected, database: str) -> Callable[[str], None]:
    """Run statements in the test's database."""

    def run(statements: str) -> None:
        with psycopg.connect(server.url(database, application="test"), autocommit=True) as connection:
            connection.execute(statements.encode())

    return run


@pytest.fixture(scope="session", autouse=True)
def _neutral_environment() -> Iterator[None]:
    """Keep PostgreSQL variables of the machine out of the tests."""
    patch = pytest.MonkeyPatch()
    for name in [name for name in os.environ if name.startswith("PG")]:
        patch.delenv(name)
    yield
    patch.undo()


def _until_gone(engine: Embedded) -> None:
    assert wait(lambda: not engine._kept.alive(), 30)
