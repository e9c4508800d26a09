"""Whoever is killed at whatever moment of a `doit migrate` on ClickHouse, nothing is done twice and nothing is lost.

No file has a transaction there. One whose statements can be repeated runs again; one that inserts rows is refused
until somebody has looked at it, and a reset builds the database anew.
"""

from __future__ import annotations

import json
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.faults import processes
from tests.faults.conftest import SEED, Tell
from tests.faults.monorepo import Done, Monorepo, clean
from tests.faults.strike import strike
from tools.clickhouse import Embedded
from tools.clickhouse.server import Connected

HITS = 6  # kills of each victim that must hit a running step
ROUNDS = 3 * HITS  # at most, to get them
VICTIMS = ("doit", "goose", "engine", "keeper")
SPREAD = 1.1  # seconds from goose's start: about as long as it runs

SERVICES = ("fox", "owl")
ROWS = 400
PAUSE = 0.001  # seconds a row
FILES = {
    "20260101000001_create_things": """
CREATE TABLE IF NOT EXISTS {db}.things ON CLUSTER 'my_cluster' (id UInt64, size UInt64)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{{shard}}/{{database}}/{{table}}', '{{replica}}') ORDER BY id;
""",
    "20260101000002_fill_things": """
INSERT INTO {db}.things SELECT number, number % 7 + sleepEachRow({pause}) FROM numbers({rows});
""",
    "20260101000003_add_twice": """
ALTER TABLE {db}.things ON CLUSTER 'my_cluster' ADD COLUMN IF NOT EXISTS twice UInt64 DEFAULT size * 2;
""",
    "20260101000004_materialize_twice": """
ALTER TABLE {db}.things ON CLUSTER 'my_cluster' MATERIALIZE COLUMN twice SETTINGS mutations_sync = 2;
""",
    "20260101000005_drop_the_sevenths": """
ALTER TABLE {db}.things ON CLUSTER 'my_cluster' DELETE WHERE size = 6 AND sleepEachRow({pause}) = 0
SETTINGS mutations_sync = 2;
""",
    "20260101000006_create_parts": """
CREATE TABLE IF NOT EXISTS {db}.parts ON CLUSTER 'my_cluster' (id UInt64, thing_id UInt64)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{{shard}}/{{database}}/{{table}}', '{{replica}}') ORDER BY id;
""",
    "20260101000007_fill_parts": """
INSERT INTO {db}.parts SELECT id, id + sleepEachRow({pause}) FROM {db}.things WHERE id % 2 = 0;
""",
}
VERSIONS = [int(name.partition("_")[0]) for name in FILES]
FILLED, CUT, PARTED = VERSIONS[1], VERSIONS[4], VERSIONS[6]
LEFT = [n for n in range(ROWS) if n % 7 != 6]
ONCE = re.compile(r"services/(\w+)/migrations/\S+: .*this statement cannot be run twice")


@pytest.fixture(scope="module")
def columns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monorepo]:
    """A monorepo of ClickHouse services, at head."""
    root = tmp_path_factory.mktemp("columns") / "monorepo"
    entries = {}
    for service in SERVICES:
        entries[service] = {"databases": {"main": {"engine": "clickhouse", "name": service}}}
        folder = root / "services" / service / "migrations"
        folder.mkdir(parents=True)
        for name, text in FILES.items():
            up = text.strip().format(db=service, rows=ROWS, pause=PAUSE)
            (folder / f"{name}.sql").write_text(f"-- +goose Up\n{up}\n-- +goose Down\nSELECT 1;\n")
    document = {"version": 1, "environments": {"local": {}}, "services": entries}
    (root / "services.yaml").write_text(json.dumps(document))
    one = Monorepo(root=root)
    assert one.doit("migrate").code == 0
    yield one
    one.doit("stop")
    assert processes.gone(root) == []


@pytest.mark.parametrize("victim", VICTIMS)
def test_after_a_kill_nothing_is_done_twice_or_lost(victim: str, columns: Monorepo, seed: int, tell: Tell) -> None:
    chance = random.Random(f"{seed} clickhouse {victim}")  # noqa: S311 - repeatable moments, no secret
    began, hits, rounds, ends = time.monotonic(), 0, 0, Counter[str]()
    while hits < HITS and rounds < ROUNDS:
        rounds += 1
        hit, end = _round(victim, columns, chance)
        hits += hit
        ends[end] += 1
    took = time.monotonic() - began
    seen = ", ".join(f"{count} x {what}" for what, count in ends.most_common())
    tell(f"kill -9 of {victim} on ClickHouse: {hits} of {rounds} hit a running step in {took:.0f} s; then {seen}")
    assert hits >= HITS, f"{SEED}={seed}"


def test_the_kills_that_hit_are_at_least_twenty() -> None:
    assert HITS * len(VICTIMS) >= 20


def _round(victim: str, monorepo: Monorepo, chance: random.Random) -> tuple[bool, str]:
    """Kill the victim while the databases are rebuilt, run again; whether it hit, and what the next run did."""
    pause = chance.uniform(0, SPREAD)
    story = f"{victim}, {pause:.3f} s after goose began"
    with ExitStack() as use:
        server = use.enter_context(_server(monorepo))
        for service in SERVICES:
            server.address.query(f"DROP DATABASE IF EXISTS {service} SYNC")
        if victim in {"engine", "keeper"} or chance.random() < 0.5:  # in some rounds somebody else uses the server
            use.close()
        run = monorepo.start("migrate")
        hit = strike(victim, run, monorepo, moment=_goose_began, pause=pause, chance=chance)
        first = run.end()
    clean(first)
    assert first.code in ({-signal.SIGKILL} if victim == "doit" and hit else {0, 1}), f"{story}\n{first.err}"
    assert first.code != 1 or "→" in first.err, f"{story}\n{first.err}"
    with _server(monorepo) as server:
        second = monorepo.doit("migrate")
        both = f"{story}\nfirst:\n{first.err}\nsecond:\n{second.err}"
        clean(second)
        assert not first.finished & second.finished, both
        _true_to_its_versions(server, both)
        end = "it went on to head" if second.code == 0 else _refused(monorepo, second, both)
        _true_to_its_versions(server, both, whole=True)
    return bool(hit), end


def _refused(monorepo: Monorepo, done: Done, story: str) -> str:
    """Assert that only an interrupted insert was refused, and do what the message says."""
    refused = set(ONCE.findall(done.err))
    assert refused, story
    for service in refused:
        assert f"doit reset:{service}/main" in done.err, story
        assert monorepo.doit(f"reset:{service}", f"yes={service}").code == 0, story
    return "an interrupted insert was refused"


def _true_to_its_versions(server: Connected, story: str, *, whole: bool = False) -> None:
    """Assert that each version is noted once and that what it acknowledged is there, exactly once."""
    there = {name for (name,) in server.address.query("SHOW DATABASES")}
    for service in SERVICES if whole else there & set(SERVICES):
        tables = {name for (name,) in server.address.query(f"SHOW TABLES FROM {service}")}
        noted = server.address.query(f"SELECT version_id FROM {service}.goose_db_version ORDER BY 1")
        held = [int(version) for (version,) in noted] if "goose_db_version" in tables else []
        assert held in ([], [0, *VERSIONS[: len(held) - 1]]), story
        assert not whole or len(held) == len(VERSIONS) + 1, story
        if FILLED in held:
            ids = [int(one) for (one,) in server.address.query(f"SELECT id FROM {service}.things ORDER BY id")]
            assert ids == LEFT if CUT in held else ids in (LEFT, list(range(ROWS))), story
        if PARTED in held:
            ids = [int(one) for (one,) in server.address.query(f"SELECT id FROM {service}.parts ORDER BY id")]
            assert ids == [one for one in LEFT if one % 2 == 0], story


def _goose_began(seen: list[processes.Process], _: str) -> bool:
    return any(one.kind == "goose" for one in seen)


@contextmanager
def _server(monorepo: Monorepo) -> Iterator[Connected]:
    with Embedded(monorepo.root / ".state" / "clickhouse").serve(lambda _: None) as one:
        yield one
