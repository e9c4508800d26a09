"""What lint costs: a monorepo of migrations looked at for the first time, again, and after one change."""

from __future__ import annotations

import subprocess
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path

from bench.timing import Comparison, compare, elapsed
from bench.yard import folder
from schemas.catalog import Database, EngineName
from tasks.lint.check import check
from tasks.lint.gather import gather
from tasks.lint.look import look
from tasks.lint.record import Records
from tasks.lint.rule import rules
from tasks.lint.walk import dispatch, walk
from tools import toolchain
from tools.clickhouse.syntax import Parser
from tools.toolchain.store import LOCKS, pip_install, place, provide

__all__ = ["DOC", "measure", "options"]

DOC = "lint a thousand migrations cold, warm and after one change, beside squawk and the parser alone"

LOCK = LOCKS / "squawk.txt"
SHARE = 0.7  # of the files are for PostgreSQL
STREAM = 100  # files
LINES = 40
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
CREATE TABLE IF NOT EXISTS shop.items_{n} ON CLUSTER 'main' (
    id UUID DEFAULT generateUUIDv7(),
{columns}
    at DateTime64(3)
) ENGINE = ReplicatedMergeTree('/tables/{{shard}}/shop/items_{n}', '{{replica}}')
PARTITION BY toYYYYMM(at) ORDER BY (field_0, at) TTL toDateTime(at) + INTERVAL 90 DAY;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
DROP TABLE IF EXISTS shop.items_{n} ON CLUSTER 'main' SYNC;
-- +goose StatementEnd
"""


def options(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--files", type=int, default=1000, help="how many files (default 1000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each thing is done (default 3)")


def measure(chosen: Namespace) -> Iterator[Comparison]:
    """Compare lint with squawk, with itself when nothing or one file has changed, and with parsing and one walk."""
    squawk = provide(place("squawk", [LOCK]), _install, doing="installing squawk", say=print) / "bin" / "squawk"
    with folder() as root:
        streams = _generate(root, chosen.files, LINES)
        files = sorted(str(path) for stream in streams if stream.engine == "postgres" for path in _paths(root, stream))
        parser = Parser(lambda: toolchain.clickhouse(print))
        try:
            print(f"{chosen.files} files of {LINES} lines, {len(files)} of them for PostgreSQL")
            cold = f"lint, {chosen.files} files for the first time"

            def first() -> float:
                parser.close()  # the process of ClickHouse's parser starts with the run
                return elapsed(lambda: _lint(root, streams, parser, root / "none" / "lint.db"))

            yield compare(
                cold, first, f"squawk, the {len(files)}", lambda: _squawk(squawk, files), rounds=chosen.rounds, warm=1
            )
            kept = root / "lint.db"
            _lint(root, streams, parser, kept)
            yield compare(
                "lint, nothing has changed",
                lambda: elapsed(lambda: _lint(root, streams, parser, kept)),
                cold,
                first,
                rounds=chosen.rounds,
            )
            last = _paths(root, streams[0])[-1]
            yield compare(
                "lint, one file has changed",
                lambda: _changed(root, streams, parser, kept, last),
                cold,
                first,
                rounds=chosen.rounds,
            )
        finally:
            parser.close()
    with folder() as root:
        (stream,) = _generate(root, STREAM, 400)[:1]
        yield compare(
            f"all rules, {STREAM} files of 400 lines",
            lambda: _rules(root, stream),
            "parsing and one walk",
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
            (home / f"2026{n % STREAM:010}_items_{n}.sql").write_text(_file(engine, n, lines))
    return streams


def _file(engine: EngineName, n: int, lines: int) -> str:
    kind = "TEXT NOT NULL DEFAULT ''" if engine == "postgres" else "LowCardinality(String) DEFAULT ''"
    columns = "\n".join(f"    field_{one} {kind}," for one in range(lines - FRAME[engine]))
    return (POSTGRES if engine == "postgres" else CLICKHOUSE).format(n=n, columns=columns)


def _database(service: str, engine: EngineName) -> Database:
    return Database(
        service=service,
        key="main",
        engine=engine,
        names={"local": "shop"},
        url_env={},
        migrations=f"services/{service}/migrations",
        table="goose_db_version",
        job="",
    )


def _paths(root: Path, stream: Database) -> list[Path]:
    return sorted((root / stream.migrations).glob("*.sql"))


def _lint(root: Path, streams: list[Database], parser: Parser, kept: Path) -> int:
    """Look at all streams; how many files were parsed. Where the records cannot be kept, each look is the first."""
    records = Records(kept)
    try:
        return sum(look(gather(root, one, f"services/{one.service}", None, parser), records).parsed for one in streams)
    finally:
        records.close()


def _changed(root: Path, streams: list[Database], parser: Parser, kept: Path, file: Path) -> float:
    with file.open("a") as opened:
        opened.write("-- more\n")
    return elapsed(lambda: _lint(root, streams, parser, kept))


def _squawk(program: Path, files: list[str]) -> float:
    words = [str(program), "--reporter", "json", "--assume-in-transaction", "--pg-version=16.0", *files]
    return elapsed(lambda: subprocess.run(words, capture_output=True, check=False))


def _rules(root: Path, stream: Database) -> float:
    files = gather(root, stream, ".", None, None).files
    chosen = rules(stream.engine, "file", "statements")
    return elapsed(lambda: [check(file, chosen) for file in files])


def _parse(root: Path, stream: Database) -> float:
    """What any linter must do: read the files as goose does, parse the statements, and see each node once."""
    files = gather(root, stream, ".", None, None).files
    walkers = dispatch(rules(stream.engine, "statements"))

    def parse() -> None:
        for file in files:
            for _ in walk(file, walkers):
                pass

    return elapsed(parse)
