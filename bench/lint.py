"""What lint costs: a monorepo of migrations looked at for the first time, again, and after one change."""

from __future__ import annotations

import shutil
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path

from bench.timing import Comparison, compare, elapsed
from bench.yard import Yard, folder, run
from schemas.catalog import Database, EngineName
from schemas.target import LOCAL
from tasks.lint.gather import gather
from tasks.lint.look import look
from tasks.lint.record import Records
from tasks.lint.rule import Listed
from tasks.lint.walk import walk
from tools.toolchain.store import LOCKS, pip_install, place, provide

__all__ = ["DOC", "measure", "options"]

DOC = "lint a thousand migrations cold, warm and after one change, beside squawk and the parser alone"

LOCK = LOCKS / "squawk.txt"
SHARE = 0.7  # of the files are for PostgreSQL
STREAM = 100  # files
LINES = 40
EVERY: dict[str, list[Listed]] = {"ColumnDef": []}  # a kind that stands anywhere: the walk leaves nothing out
HEAD = "version: 1\nroot: .\nbase: main\nenvironments: {local: {}}\nservices:\n"
FRAME = {"postgres": 12, "clickhouse": 14}  # lines of a file that are no columns
POSTGRES = """\
-- +goose Up
SET LOCAL lock_timeout = '5s';

CREATE TABLE items_{n} (
    id TEXT PRIMARY KEY DEFAULT gen_random_uuid()::TEXT,
{columns}
    CONSTRAINT ck_items_{n} CHECK (field_0 <> '')
);

CREATE INDEX idx_items_{n}_field_0 ON items_{n} (field_0);

-- +goose Down
DROP TABLE items_{n};
"""
CLICKHOUSE = """\
-- +goose Up
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS {name}.items_{n} ON CLUSTER 'main' (
    id UUID DEFAULT generateUUIDv7(),
{columns}
    at DateTime64(3)
) ENGINE = ReplicatedMergeTree('/tables/{{shard}}/{name}/items_{n}', '{{replica}}')
PARTITION BY toYYYYMM(at) ORDER BY (field_0, at) TTL toDateTime(at) + INTERVAL 90 DAY;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
DROP TABLE IF EXISTS {name}.items_{n} ON CLUSTER 'main' SYNC;
-- +goose StatementEnd
"""


def options(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--files", type=int, default=1000, help="how many files (default 1000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each thing is done (default 3)")


def measure(chosen: Namespace) -> Iterator[Comparison]:
    """Compare doit lint with squawk, with itself when nothing or one file has changed; its rules with one walk."""
    squawk = provide(place("squawk", [LOCK]), _install, doing="installing squawk", say=print) / "bin" / "squawk"
    with folder() as home:
        root = home / "monorepo"
        streams = _generate(root, chosen.files, LINES)
        yard = Yard.at(_founded(root, streams))
        files = sorted(str(path) for stream in streams if stream.engine == "postgres" for path in _paths(root, stream))
        print(f"{chosen.files} files of {LINES} lines, {len(files)} of them for PostgreSQL", file=sys.stderr)
        cold, rounds = f"doit lint, {chosen.files} files for the first time", chosen.rounds
        yield compare(
            cold, lambda: _first(yard), f"squawk, the {len(files)}", lambda: _squawk(squawk, files), rounds=rounds
        )
        yield compare(
            "doit lint, nothing has changed",
            lambda: elapsed(lambda: yard.doit("lint")),
            cold,
            lambda: _first(yard),
            rounds=rounds,
        )
        last = _paths(root, streams[0])[-1]
        yield compare(
            "doit lint, one file has changed",
            lambda: _changed(yard, last),
            cold,
            lambda: _first(yard),
            rounds=rounds,
        )
    with folder() as root:
        (stream,) = _generate(root, STREAM, 400)[:1]
        yield compare(
            f"all rules, {STREAM} files of 400 lines",
            lambda: _rules(root, stream),
            "parsing and one walk over each node",
            lambda: _parse(root, stream),
            rounds=chosen.rounds,
        )


def _install(part: Path) -> None:
    pip_install(LOCK, "--target", part)


def _generate(root: Path, count: int, lines: int) -> list[Database]:
    """Streams of a hundred files each, PostgreSQL's first."""
    streams = []
    postgres = round(count * SHARE)
    for number, begin in enumerate(range(0, count, STREAM)):
        engine: EngineName = "postgres" if begin < postgres else "clickhouse"
        stream = _database(f"service-{number:03}", engine)
        streams.append(stream)
        home = root / stream.migrations
        home.mkdir(parents=True)
        for n in range(begin, min(begin + STREAM, count)):
            (home / f"2026{n % STREAM:010}_items_{n}.sql").write_text(_file(stream, n, lines))
    return streams


def _file(stream: Database, n: int, lines: int) -> str:
    postgres = stream.engine == "postgres"
    kind = "TEXT NOT NULL DEFAULT ''" if postgres else "LowCardinality(String) DEFAULT ''"
    columns = "\n".join(f"    field_{one} {kind}," for one in range(lines - FRAME[stream.engine]))
    return (POSTGRES if postgres else CLICKHOUSE).format(n=n, columns=columns, name=stream.names[LOCAL])


def _database(service: str, engine: EngineName) -> Database:
    return Database(
        service=service,
        key="main",
        engine=engine,
        names={LOCAL: f"shop_{service[-3:]}"},
        url_env={},
        migrations=f"services/{service}/migrations",
        table="goose_db_version",
        job="",
    )


def _paths(root: Path, stream: Database) -> list[Path]:
    return sorted((root / stream.migrations).glob("*.sql"))


def _founded(root: Path, streams: list[Database]) -> Path:
    """The services.yaml of the streams, in a git repository in which all but the first stream's last file is merged."""
    file = root / "services.yaml"
    listed = (
        f"  {one.service}: {{databases: {{main: {{engine: {one.engine}, name: {one.names[LOCAL]}}}}}}}\n"
        for one in streams
    )
    file.write_text(HEAD + "".join(listed), encoding="utf-8")
    run(["git", "init", "-q", "-b", "main"], cwd=root)
    run(["git", "add", ".", f":!{_paths(root, streams[0])[-1].relative_to(root)}"], cwd=root)
    run(["git", "-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "-qm", "all"], cwd=root)
    return file


def _first(yard: Yard) -> float:
    shutil.rmtree(yard.catalog.root / ".state", ignore_errors=True)
    return elapsed(lambda: yard.doit("lint"))


def _changed(yard: Yard, file: Path) -> float:
    with file.open("a") as opened:
        opened.write("-- more\n")
    return elapsed(lambda: yard.doit("lint"))


def _squawk(program: Path, files: list[str]) -> float:
    words = [str(program), "--reporter", "json", "--assume-in-transaction", "--pg-version=16.0", *files]
    return elapsed(lambda: subprocess.run(words, capture_output=True, check=False))


def _rules(root: Path, stream: Database) -> float:
    gathered, records = gather(root, stream, ".", None, None), Records(root / "none" / "lint.db")  # none are kept
    return elapsed(lambda: look(gathered, records))


def _parse(root: Path, stream: Database) -> float:
    """What any linter must do: read the files as goose does, parse the statements, and see each node once."""
    files = gather(root, stream, ".", None, None).files

    def parse() -> None:
        for file in files:
            for _ in walk(file, EVERY):
                pass

    return elapsed(parse)
