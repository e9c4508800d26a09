"""A small monorepo whose migrations take long enough to be hit while they run, and what must hold of it afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import psycopg

from tools.postgres import Embedded

__all__ = ["ANT", "SERVICES", "Done", "Monorepo", "Run", "build", "clean", "refused"]

ROOT = Path(__file__).parents[2]
DOOMED = Path(__file__).with_name("doomed.py")
PATIENCE = 120.0  # seconds after which a command hangs, for every purpose of these tests

ANT = "ant-service/ant"
SERVICES = (ANT, "bee-service/bee", "cat-service/cat", "dog-service/dog")

# name -> text; {rows} is the size of the table, {pause} a wait in seconds. Where a file has a transaction it notes
# itself in `ran`, without any constraint that would hide a second run.
FILES = {
    "20260101000001_create_things": """
-- +goose Up
CREATE TABLE ran (version BIGINT NOT NULL);
CREATE TABLE things (id BIGINT PRIMARY KEY, code TEXT NOT NULL, size BIGINT NOT NULL);
INSERT INTO ran VALUES (20260101000001);
-- +goose Down
DROP TABLE things, ran;
""",
    "20260101000002_fill_things": """
-- +goose Up
INSERT INTO things SELECT n, md5(n::text), n % 997 FROM generate_series(1, {rows} / 2) n;
SELECT pg_sleep({pause});
INSERT INTO things SELECT n, md5(n::text), n % 997 FROM generate_series({rows} / 2 + 1, {rows}) n;
INSERT INTO ran VALUES (20260101000002);
-- +goose Down
TRUNCATE things;
""",
    "20260101000003_index_codes": """
-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX CONCURRENTLY ix_things_code ON things (code);
-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS ix_things_code;
""",
    "20260101000004_index_ids": """
-- +goose NO TRANSACTION
-- +goose Up
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS uk_things_size_id ON things (size, id);
-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS uk_things_size_id;
""",
    "20260101000005_backfill_sizes": """
-- +goose Up
ALTER TABLE things ADD COLUMN twice BIGINT;
UPDATE things SET twice = size * 2 WHERE id % 2 = 0;
SELECT pg_sleep({pause});
UPDATE things SET twice = size * 2 WHERE twice IS NULL;
INSERT INTO ran VALUES (20260101000005);
-- +goose Down
ALTER TABLE things DROP COLUMN twice;
""",
    "20260101000006_note_things": """
-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE things ADD COLUMN IF NOT EXISTS note TEXT;
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_things_twice ON things (twice);
UPDATE things SET note = 'seen' WHERE id % 10 = 0 AND note IS NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_things_note ON things (note) WHERE note IS NOT NULL;
-- +goose Down
ALTER TABLE things DROP COLUMN note;
""",
    "20260101000007_unique_codes": """
-- +goose NO TRANSACTION
-- +goose Up
CREATE UNIQUE INDEX CONCURRENTLY uk_things_code ON things (code);
-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS uk_things_code;
""",
    "20260101000008_guard_things": """
-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION keep_code() RETURNS trigger AS $$
BEGIN
    NEW.code := OLD.code;
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;
-- +goose StatementEnd
CREATE TRIGGER keep_code BEFORE UPDATE ON things FOR EACH ROW EXECUTE FUNCTION keep_code();
CREATE TABLE parts (id BIGINT PRIMARY KEY, thing_id BIGINT NOT NULL REFERENCES things (id));
INSERT INTO parts SELECT id, id FROM things WHERE id % 50 = 0;
SELECT pg_sleep({pause});
INSERT INTO ran VALUES (20260101000008);
-- +goose Down
DROP TABLE parts;
DROP FUNCTION keep_code() CASCADE;
""",
}
INDEXES = {"ix_things_code", "uk_things_size_id", "ix_things_twice", "ix_things_note", "uk_things_code"}
VERSIONS = [int(name.partition("_")[0]) for name in FILES]
NOTED = [int(name.partition("_")[0]) for name, text in FILES.items() if "INSERT INTO ran" in text]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def finished(self) -> set[str]:
        """The targets for which this run had something to do, and did it."""
        ended = [line.split() for line in self.err.splitlines() if line.startswith("✓ ")]
        return {words[1] for words in ended if words[2:4] != ["at", "head,"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A command that is running."""

    process: subprocess.Popen[bytes]
    out: Path
    err: Path

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def said(self) -> str:
        """What it has printed on standard error so far."""
        return self.err.read_text(encoding="utf-8", errors="replace")

    def end(self, patience: float = PATIENCE) -> Done:
        """Wait for its end and take what it printed."""
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.process.args!r} hung; it had said:\n{self.said()}") from None
        return Done(code=self.process.returncode, out=self.out.read_text(encoding="utf-8"), err=self.said())


@dataclass(frozen=True, slots=True, kw_only=True)
class Monorepo:
    """A generated monorepo: its databases are called ``<service>_<database>``."""

    root: Path

    @property
    def home(self) -> Path:
        """The folder of its embedded server."""
        return self.root / ".state" / "postgres"

    def connect(self, server: Any, label: str = ANT, application: str = "test") -> psycopg.Connection[tuple[Any, ...]]:
        """A session of the test's own in a database."""
        return psycopg.connect(server.url(self.database(label), application=application), autocommit=True)

    @property
    def environment(self) -> dict[str, str]:
        """The caller's environment, pointed at this monorepo; as on a pipe, whatever the terminal."""
        ours = ("PG", "GOOSE_")  # and in CI no row is ever lost, which these tests are about
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours) and name != "CI"}
        return {**kept, "SERVICES": str(self.root / "services.yaml"), "NO_COLOR": "1"}

    def start(self, *words: str, under: tuple[str, ...] = ("-m", "doit")) -> Run:
        """Begin ``doit WORDS``; what it prints goes to files beside the monorepo, which can be watched."""
        with (
            NamedTemporaryFile(dir=self.root.parent, prefix="out-", delete=False) as out,
            NamedTemporaryFile(dir=self.root.parent, prefix="err-", delete=False) as err,
        ):
            process = subprocess.Popen(
                [sys.executable, "-W", "error", *under, *words],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        return Run(process=process, out=Path(out.name), err=Path(err.name))

    def doit(self, *words: str) -> Done:
        """Run ``doit WORDS`` to its end."""
        return self.start(*words).end()

    def doomed(self, pattern: str, which: int, *words: str) -> Done:
        """Run ``doit WORDS`` to a moment, by tests/faults/doomed.py, where it is killed; or to its end."""
        return self.start(*words, under=(str(DOOMED), str(self.root), pattern, str(which))).end()

    def add(self, label: str, name: str, text: str) -> None:
        """Add a migration to a database's stream."""
        folder = self.root / "services" / label.partition("/")[0] / "migrations"
        (folder / f"{name}.sql").write_text(text.lstrip(), encoding="utf-8")

    def database(self, label: str) -> str:
        """The local database of a label."""
        return label.replace("-", "_").replace("/", "_")

    @contextmanager
    def server(self) -> Iterator[Any]:
        """The monorepo's server, running; takes part in its lease as a run of doit does."""
        with Embedded(self.home).serve(lambda _: None) as server:
            yield server

    def whole(self, labels: tuple[str, ...] = SERVICES) -> None:
        """Assert that every file was applied exactly once, and that no index is missing or invalid."""
        with self.server() as server:
            for label in labels:
                with self.connect(server, label) as base:
                    held = [
                        version for (version,) in base.execute("SELECT version_id FROM goose_db_version ORDER BY 1")
                    ]
                    assert held == [0, *VERSIONS], label
                    assert all(on for (on,) in base.execute("SELECT is_applied FROM goose_db_version")), label
                    noted = [version for (version,) in base.execute("SELECT version FROM ran ORDER BY 1")]
                    assert noted == NOTED, label
                    found = base.execute(
                        "SELECT i.relname, x.indisvalid AND x.indisready AND x.indislive FROM pg_index x"
                        " JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = 'things'::regclass"
                    ).fetchall()
                    assert {name for name, _ in found} == {*INDEXES, "things_pkey"}, label
                    assert all(valid for _, valid in found), (label, found)
                    (unset,) = base.execute("SELECT count(*) FROM things WHERE twice IS NULL").fetchone() or (-1,)
                    (noted_rows,) = base.execute("SELECT count(*) FROM things WHERE note = 'seen'").fetchone() or (0,)
                    (rows,) = base.execute("SELECT count(*) FROM things").fetchone() or (0,)
                    assert (unset, noted_rows) == (0, rows // 10), label

    def drop(self, labels: tuple[str, ...]) -> None:
        """Drop databases by hand, as somebody would in psql."""
        with (
            self.server() as server,
            psycopg.connect(server.url("postgres", application="test"), autocommit=True) as base,
        ):
            for label in labels:
                base.execute(f'DROP DATABASE "{self.database(label)}" WITH (FORCE)'.encode())


def clean(done: Done) -> None:
    """Assert that nothing in a run looks like a bug of ours."""
    assert "Traceback" not in done.err, done.err
    assert "bug in Gander" not in done.err, done.err
    assert "Warning" not in done.err, done.err


def refused(done: Done, *words: str) -> None:
    """Assert that a run ended with one clear error that says these words and what to do."""
    clean(done)
    assert done.code == 1, (done.code, done.err)
    assert "→" in done.err, done.err
    for word in words:
        assert word in done.err, done.err


def build(root: Path, labels: tuple[str, ...] = SERVICES, *, rows: int = 12_000, pause: float = 0.04) -> Monorepo:
    """Write a monorepo with these databases, each with a stream of its own."""
    services: dict[str, Any] = {}
    monorepo = Monorepo(root=root)
    for label in labels:
        service, _, database = label.partition("/")
        services[service] = {"databases": {database: {"engine": "postgres", "name": monorepo.database(label)}}}
        (root / "services" / service / "migrations").mkdir(parents=True)
        for name, text in FILES.items():
            monorepo.add(label, name, text.replace("{rows}", str(rows)).replace("{pause}", str(pause)))
    document = {"version": 1, "environments": {"local": {}}, "services": services}
    (root / "services.yaml").write_text(json.dumps(document, indent=2), encoding="utf-8")
    return monorepo
