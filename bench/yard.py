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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from schemas.catalog import Catalog, Database
from schemas.catalog_file import load
from schemas.target import LOCAL
from tools.engine import Server
from tools.engines import local
from tools.journal import History, Journal

__all__ = ["PROJECT", "Yard", "folder", "run"]

PROJECT = Path(__file__).resolve().parents[1]
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

    def doit(self, *words: str) -> None:
        """Run doit here as a user does."""
        run([sys.executable, Path(sys.executable).with_name("doit"), *words], cwd=PROJECT, services=self.catalog.file)

    def key(self, *words: str) -> None:
        """Run doit here through ./run."""
        run([PROJECT / "run", "doit", *words], cwd=PROJECT, services=self.catalog.file)

    def server(self) -> Server:
        """The server, which has been started and is kept."""
        engine = local("postgres", self.catalog)
        with engine.serve(lambda _: None) as server:
            return server

    def stop(self) -> None:
        """Stop the server and wait until it is gone; a run that was interrupted may hold it for a moment longer."""
        engine = local("postgres", self.catalog)
        deadline = time.monotonic() + PATIENCE
        engine.stop(lambda _: None)
        while engine.running() and time.monotonic() < deadline:
            time.sleep(0.05)

    def rest(self) -> None:
        """Wait until the server that the last run let go has stopped."""
        engine = local("postgres", self.catalog)
        deadline = time.monotonic() + PATIENCE
        while engine.running() and time.monotonic() < deadline:
            time.sleep(0.02)

    def copy_state(self) -> None:
        """Give every database the state of the first, which is at head, as if each had been migrated.

        Its record in the stopped server's proof and in the journal is repeated under each one's own name and mark.
        """
        proof = self.catalog.root / ".state" / "postgres" / "settled.json"
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


def run(command: Sequence[str | Path], *, cwd: Path, services: Path | None = None) -> None:
    """Run a program to its end with its output kept; SystemExit with that output when it fails."""
    environment = {name: value for name, value in os.environ.items() if name != "SERVICES"}
    if services:
        environment["SERVICES"] = str(services)
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}\n{done.stdout}{done.stderr}")
