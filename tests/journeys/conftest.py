"""Monorepos for journeys: real commands typed in the project's folder, SERVICES pointing at a monorepo of the test."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests import registries
from tests.playground import copy_example
from tests.registries import Registry

ROOT = Path(__file__).parents[2]
AWAY = ("SERVICES", "CI", "NO_COLOR", "PYTHONPATH", "PYTHONWARNINGS", "PYTHONSTARTUP", "TERM", "COLUMNS")
URL = re.compile(r"^(\S+)\t(postgres://\S+)$", re.MULTILINE)


def answer(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """What a command of the project's folder says to nobody's terminal; a traceback is never an answer."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    return done


@dataclass(frozen=True, slots=True, kw_only=True)
class Monorepo:
    """A monorepo somewhere, and the commands that a user types for it."""

    root: Path
    prefix: tuple[str, ...] = ()

    @property
    def bound_by_modes(self) -> Monorepo:
        """The same for somebody whom the modes of files stop, which they do not do for root."""
        if os.geteuid() != 0:
            return self
        return replace(self, prefix=("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"))

    @property
    def environment(self) -> dict[str, str]:
        """What a doit of this monorepo sees: the caller's settings, and none that would change its verdicts."""
        kept = {name: value for name, value in os.environ.items() if name not in AWAY and not name.startswith("PG")}
        tools = os.environ.get("GANDER_TOOLS", str(ROOT / ".tools"))
        ours = {"SERVICES": str(self.root / "services.yaml"), "GANDER_TOOLS": tools, "TERM": "xterm"}
        return {**kept, **ours}

    @property
    def state(self) -> Path:
        """The folder of everything that is made."""
        return self.root / ".state"

    def command(self, *words: str) -> list[str]:
        """The command line of doit."""
        return [*self.prefix, sys.executable, "-W", "error", "-m", "doit", *words]

    def doit(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Type a command and read what it says; a traceback is never an answer."""
        return answer(self.command(*words), {**self.environment, **variables})

    def fine(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Type a command that must end well."""
        done = self.doit(*words, **variables)
        assert done.returncode == 0, done.stderr + done.stdout
        return done

    def folder(self, place: str) -> Path:
        """The folder of migrations of ``service`` or ``service/database``."""
        service, _, database = place.partition("/")
        return self.root / "services" / service / "migrations" / database

    def write(self, place: str, name: str, up: str, down: str = "") -> Path:
        """Write a migration."""
        file = self.folder(place) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"-- +goose Up\n{up}\n" + (f"\n-- +goose Down\n{down}\n" if down else ""))
        return file

    def urls(self) -> dict[str, str]:
        """Start the servers, and the URL of each database by label."""
        return dict(URL.findall(self.fine("start").stdout))

    def sql(self, place: str, statement: str) -> list[tuple[object, ...]]:
        """Run a statement in a database of the server that `doit start` keeps."""
        with psycopg.connect(self.urls()[place], autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def by_hand(self, place: str, *statements: str) -> None:
        """What somebody does behind our back: start, change, stop."""
        for statement in statements:
            self.sql(place, statement)
        self.stop()

    def stop(self) -> None:
        """Stop the servers."""
        self.fine("stop")

    def control(self) -> bytes:
        """PostgreSQL's control file, which every start of a server rewrites."""
        self.settle()
        return (self.state / "postgres" / "data" / "global" / "pg_control").read_bytes()

    def settle(self) -> None:
        """Wait until a server that nobody uses has gone."""
        deadline = time.monotonic() + 30
        while (self.state / "postgres" / "server.json").exists():
            assert time.monotonic() < deadline, "the server runs on although nobody uses it"
            time.sleep(0.02)

    def commit(self) -> None:
        """Make a git repository of what is there."""
        name = ("-c", "user.name=Someone", "-c", "user.email=someone@example.com", "-c", "commit.gpgsign=false")
        for words in (("init", "--quiet"), ("add", "--all"), (*name, "commit", "--quiet", "--message", "as it is")):
            subprocess.run([shutil.which("git") or "git", *words], cwd=self.root, check=True, capture_output=True)


def ran(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The targets that ran, in the order of the output."""
    return re.findall(r"^✓ (\S+:\S+|lint)\b", done.stderr, re.MULTILINE)


def counts(done: subprocess.CompletedProcess[str]) -> tuple[int, int, int]:
    """How many ran, were up to date, failed, as the last line says."""
    found = re.search(r"^(\d+) ran, (\d+) up to date, (\d+) failed", done.stderr, re.MULTILINE)
    assert found, done.stderr
    return int(found[1]), int(found[2]), int(found[3])


def typed(
    monorepo: Monorepo, words: tuple[str, ...], question: str, answer: str | Callable[[], str], **variables: str
) -> tuple[int, str]:
    """Type a command on a terminal and answer its question: the exit code, and what the terminal has shown."""
    ours, its = os.openpty()
    process = subprocess.Popen(
        monorepo.command(*words),
        cwd=ROOT,
        env={**monorepo.environment, **variables},
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
    )
    os.close(its)
    shown, answered, deadline = b"", False, time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([ours], [], [], 0.1)[0]:
            continue
        try:
            shown += os.read(ours, 65536)
        except OSError:  # Linux: the other side has been closed
            break
        if not answered and question.encode() in shown:
            os.write(ours, f"{answer if isinstance(answer, str) else answer()}\n".encode())
            answered = True
    process.wait(timeout=60)
    os.close(ours)
    assert answered, shown.decode(errors="replace")
    return process.returncode, shown.decode(errors="replace")


def small(root: Path, services: Mapping[str, Mapping[str, str]], head: str = "") -> Monorepo:
    """Make a monorepo of services with one PostgreSQL database each: service -> file name -> whole text."""
    lines = ["version: 1", head, "services:"]
    for service, files in services.items():
        lines.append(f"  {service}: {{databases: {{main: {{engine: postgres, name: {service}}}}}}}")
        folder = root / "services" / service / "migrations"
        folder.mkdir(parents=True)
        for name, text in files.items():
            (folder / name).write_bytes(text.encode())
    (root / "services.yaml").write_text("\n".join(filter(None, lines)) + "\n")
    return Monorepo(root=root)


def copied(monorepo: Monorepo, to: Path) -> Monorepo:
    """Copy a monorepo whose servers are down, with its state."""
    subprocess.run(["/bin/cp", "-a", str(monorepo.root), str(to)], check=True)
    return Monorepo(root=to)


def lend(server: Monorepo, monorepo: Monorepo) -> Monorepo:
    """Give a monorepo without state a copy of another one's server, which spares it the making of one."""
    subprocess.run(["/bin/cp", "-a", str(server.state), str(monorepo.state)], check=True)
    (monorepo.state / "postgres" / "port").unlink()  # each server has a port of its own
    return monorepo


def hurry(monorepo: Monorepo) -> None:
    """Spare a server that is down its waiting for the disk: no test pulls the plug."""
    with (monorepo.state / "postgres" / "data" / "postgresql.conf").open("a") as file:
        file.write("fsync = off\n")


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Monorepo:
    """The example monorepo as it comes from git, with all its services; for copying."""
    root = tmp_path_factory.mktemp("whole") / "monorepo"
    copy_example(root)
    (root / ".gitignore").unlink()  # state that git may see is a case of its own
    return Monorepo(root=root)


@pytest.fixture(scope="session")
def fresh(whole: Monorepo, tmp_path_factory: pytest.TempPathFactory) -> Monorepo:
    """The example monorepo as it comes from git, without the services on ClickHouse; for copying."""
    monorepo = copied(whole, tmp_path_factory.mktemp("fresh") / "monorepo")
    listed = (monorepo.root / "services.yaml").read_text()
    (monorepo.root / "services.yaml").write_text(listed[: listed.index("  audit-service:")])
    return monorepo


@pytest.fixture(scope="session")
def migrated(fresh: Monorepo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monorepo]:
    """The example monorepo at head, its server down; for copying, and for commands that change nothing."""
    monorepo = copied(fresh, tmp_path_factory.mktemp("migrated") / "monorepo")
    first = monorepo.fine("migrate")
    assert counts(first) == (5, 1, 0)
    monorepo.settle()
    hurry(monorepo)
    yield monorepo
    monorepo.stop()
    shutil.rmtree(monorepo.root)


@pytest.fixture
def example(migrated: Monorepo, tmp_path: Path) -> Iterator[Monorepo]:
    """A copy of the example monorepo at head, to be changed at will."""
    monorepo = copied(migrated, tmp_path / "monorepo")
    yield monorepo
    monorepo.doit("stop")
    shutil.rmtree(monorepo.root)


@pytest.fixture(scope="session")
def empty_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monorepo]:
    """A small monorepo whose server has been made and is down; for copying its state."""
    monorepo = small(
        tmp_path_factory.mktemp("empty") / "monorepo", {"shop": {"00001_a.sql": "-- +goose Up\nSELECT 1;"}}
    )
    monorepo.fine("start")
    monorepo.stop()
    hurry(monorepo)
    yield monorepo
    shutil.rmtree(monorepo.root)


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry without a login."""
    with registries.registry(tmp_path_factory.mktemp("registry")) as one:
        yield one


@pytest.fixture
def images(registry: Registry, tmp_path: Path) -> str:
    """Where the images of one test go in it: ``HOST/NAME``."""
    return f"{registry.host}/{tmp_path.name.lower().replace('_', '-').strip('-')}-{uuid4().hex[:8]}"


Make = Callable[..., Monorepo]


@pytest.fixture
def make(empty_server: Monorepo, tmp_path: Path) -> Iterator[Make]:
    """Make a small monorepo with a server's files that are ready."""
    made: list[Monorepo] = []

    def build(services: Mapping[str, Mapping[str, str]], head: str = "") -> Monorepo:
        made.append(lend(empty_server, small(tmp_path / f"monorepo{len(made)}", services, head)))
        return made[-1]

    yield build
    for monorepo in made:
        if (monorepo.state / "postgres").exists():
            monorepo.doit("stop")
        shutil.rmtree(monorepo.root)
