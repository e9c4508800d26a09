"""A throw-away monorepo that a benchmark works in: its doit commands, its server, and how all of it goes away."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from bench.timing import Timed, elapsed
from schemas.catalog import Catalog, Database
from schemas.catalog_file import load
from schemas.target import LOCAL
from tools import toolchain
from tools.journal import History, Journal
from tools.postgres import Embedded
from tools.postgres.charge import charge
from tools.postgres.connection import Address
from tools.postgres.embedded import address
from tools.postgres.home import Home

__all__ = ["DOIT", "PROJECT", "Yard", "empty", "folder", "run"]

PROJECT = Path(__file__).resolve().parents[1]
DOIT = (sys.executable, Path(sys.executable).with_name("doit"))
NOTHING: Mapping[str, str] = MappingProxyType({})
EMPTY = "def task_empty():\n    return {'actions': [], 'uptodate': [True]}\n"
PATIENCE = 60.0  # seconds for a server to stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Yard:
    """A monorepo that only the benchmark uses."""

    catalog: Catalog

    @classmethod
    def at(cls, services_yaml: Path) -> Yard:
        """The yard around a services.yaml."""
        return cls(catalog=load(services_yaml))

    @property
    def databases(self) -> tuple[Database, ...]:
        """Every database, in the order of services.yaml."""
        return tuple(self.catalog.databases())

    @property
    def home(self) -> Path:
        """The folder of the embedded PostgreSQL."""
        return self.catalog.root / ".state" / "postgres"

    def doit(self, *words: str, program: Sequence[str | Path] = DOIT, extra: Mapping[str, str] = NOTHING) -> str:
        """Run doit here, with variables of its own, and return what it told its user."""
        return run([*program, *words], cwd=PROJECT, services=self.catalog.file, extra=extra)

    def stop(self) -> None:
        """Stop the server that `doit start` keeps, or that an interrupted run has left, and wait until it is gone."""
        Embedded(self.home).stop(lambda _: None)
        self.rest()

    def rest(self) -> None:
        """Wait until the server that the last run let go has stopped."""
        deadline = time.monotonic() + PATIENCE
        while Embedded(self.home).running() and time.monotonic() < deadline:
            time.sleep(0.02)

    @contextmanager
    def bare_server(self) -> Iterator[Address]:
        """The server alone, started on the stopped one's data directory as `pg_ctl start -w` would."""
        home = Home(path=self.home)
        server = charge(self.home, [str(toolchain.postgres(print) / "bin")])
        child, facts = server.start()
        try:
            yield address(home, facts)
        finally:
            server.stop(child)

    @contextmanager
    def kept_server(self) -> Iterator[Address]:
        """The server as `doit start` keeps it."""
        self.doit("start")
        try:
            with Embedded(self.home).serve(print) as server:
                found = server.address
            yield found
        finally:
            self.stop()

    def copy_state(self) -> None:
        """Give every database the state of the first, which is at head, as if each had been migrated.

        Its record in the stopped server's proof and in the journal is repeated under each one's own name and mark.
        """
        proof = self.home / "settled.json"
        document = json.loads(proof.read_bytes())
        journal = Journal(self.catalog.root / ".state" / "journal.db")
        first, *others = self.databases
        held = document["databases"][first.names[LOCAL]]
        records = journal.records(History(place=held["mark"], table=first.table))
        for database in others:
            mark = f"gander:{uuid.uuid4()}"
            document["databases"][database.names[LOCAL]] = {**held, "mark": mark}
            journal.settle(History(place=mark, table=database.table), records)
        proof.write_text(json.dumps(document), encoding="utf-8")


def empty(place: Path) -> Timed:
    """A doit that has one task, which is up to date, in a folder that is not there yet: what doit itself takes."""
    place.mkdir()
    (place / "dodo.py").write_text(EMPTY, encoding="utf-8")
    return lambda: elapsed(lambda: run(DOIT, cwd=place))


@contextmanager
def folder() -> Iterator[Path]:
    """A temporary folder; a server that was started below it is stopped before it is removed."""
    path = Path(os.path.realpath(tempfile.mkdtemp(prefix="gander-bench-")))
    path.chmod(0o711)  # as root, PostgreSQL runs under another account, which must pass
    try:
        yield path
    finally:
        for services_yaml in path.glob("*/services.yaml"):
            with suppress(Exception):  # whatever could not be stopped, the rest goes
                Yard.at(services_yaml).stop()
        shutil.rmtree(path, ignore_errors=True)


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    services: Path | None = None,
    extra: Mapping[str, str] = NOTHING,
    told: str = "",
) -> str:
    """Run a program to its end, told this on its standard input, and return its standard error.

    SystemExit with its output when it fails.
    """
    environment = {name: value for name, value in os.environ.items() if name != "SERVICES"} | dict(extra)
    if services:
        environment["SERVICES"] = str(services)
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=environment, input=told, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(words)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stderr
