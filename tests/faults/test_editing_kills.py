"""Whoever is killed while edited files go down and up, the next `doit migrate` ends at head, each file done once."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.faults import processes
from tests.faults.conftest import SEED, Tell
from tests.faults.monorepo import ANT, Monorepo, clean
from tests.faults.processes import Process
from tests.faults.strike import strike

HITS = 7  # of each victim
ROUNDS = 3 * HITS
VICTIMS = ("doit", "goose")
SPREAD = 0.7  # seconds from goose's start
ROWS = 200
MERGED = "20260101000001_a.sql"
EDITED = "20260101000002_b.sql"
FILES = {
    MERGED: """-- +goose Up
CREATE TABLE a (id BIGINT PRIMARY KEY);
-- +goose Down
DROP TABLE a;
""",
    EDITED: f"""-- +goose Up
CREATE TABLE b (id BIGINT PRIMARY KEY);
INSERT INTO b SELECT generate_series(1, {ROWS});
SELECT pg_sleep(0.1);
-- +goose Down
SELECT pg_sleep(0.1);
DROP TABLE b;
""",
    "20260101000003_c.sql": """-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_b_c ON b (id);
SELECT pg_sleep(0.1);
-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS ix_b_c;
SELECT pg_sleep(0.1);
""",
    "20260101000004_d.sql": """-- +goose Up
CREATE TABLE d (id BIGINT PRIMARY KEY REFERENCES b (id));
-- +goose Down
DROP TABLE d;
""",
}


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monorepo]:
    """A monorepo in git with one merged file and three that are not, at head."""
    root = tmp_path_factory.mktemp("edited") / "monorepo"
    folder = root / "services" / "ant-service" / "migrations"
    folder.mkdir(parents=True)
    entry = {"databases": {"ant": {"engine": "postgres", "name": "ant"}}}
    (root / "services.yaml").write_text(json.dumps({"version": 1, "services": {"ant-service": entry}}))
    (root / ".gitignore").write_text(".state/\n")
    (folder / MERGED).write_text(FILES[MERGED])
    name = ("-c", "user.name=Someone", "-c", "user.email=someone@example.com", "-c", "commit.gpgsign=false")
    for words in (("init", "-q", "-b", "main"), ("add", "--all"), (*name, "commit", "-qm", "first")):
        subprocess.run([shutil.which("git") or "git", *words], cwd=root, check=True, capture_output=True)
    for file, text in FILES.items():
        (folder / file).write_text(text)
    one = Monorepo(root=root)
    assert one.doit("migrate").code == 0
    yield one
    one.doit("stop")
    assert processes.gone(root) == []


@pytest.mark.parametrize("victim", VICTIMS)
def test_after_a_kill_in_between_the_next_run_ends_at_head(
    victim: str, edited: Monorepo, seed: int, tell: Tell
) -> None:
    chance = random.Random(f"{seed} editing {victim}")  # noqa: S311 - repeatable moments, no secret
    began, hits, rounds, seen = time.monotonic(), 0, 0, Counter[str]()
    with edited.server():
        while hits < HITS and rounds < ROUNDS:
            rounds += 1
            worked_on = _round(victim, edited, chance, f"-- round {victim} {rounds}\n")
            hits += bool(worked_on)
            seen.update(worked_on)
    took = time.monotonic() - began
    during = ", ".join(f"{count} x {what}" for what, count in seen.most_common())
    tell(f"kill -9 of {victim} while edits are applied: {hits} of {rounds} hit in {took:.0f} s, during {during}")
    assert hits >= HITS, f"{SEED}={seed}"


def _round(victim: str, monorepo: Monorepo, chance: random.Random, comment: str) -> set[str]:
    """Edit, kill the victim meanwhile, and run again; sometimes the edit is taken back before that."""
    file = monorepo.root / "services" / "ant-service" / "migrations" / EDITED
    before = file.read_text()
    file.write_text(FILES[EDITED] + comment)
    run = monorepo.start("migrate", "yes=ant-service")
    hit = strike(victim, run, monorepo, moment=_goose_works, pause=chance.uniform(0, SPREAD), chance=chance)
    first = run.end()
    clean(first)
    assert first.code in ({-signal.SIGKILL} if victim == "doit" and hit else {0, 1}), first.err
    if chance.random() < 0.4:
        file.write_text(before)
    second = monorepo.doit("migrate", "yes=ant-service")
    clean(second)
    both = f"first:\n{first.err}\nsecond:\n{second.err}"
    assert second.code == 0, both
    assert monorepo.doit("status").code == 0, both
    with monorepo.server() as server, monorepo.connect(server, ANT) as base:
        held = [version for (version,) in base.execute("SELECT version_id FROM goose_db_version ORDER BY 1")]
        assert held == [0, *(int(name.partition("_")[0]) for name in FILES)], both
        assert base.execute("SELECT count(*) FROM b").fetchone() == (ROWS,), both
        index = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('ix_b_c')"
        assert base.execute(index.encode()).fetchall() == [(True,)], both
        assert base.execute("SELECT count(*) FROM d").fetchone() == (0,), both
    return hit


def _goose_works(seen: list[Process], _: str) -> bool:
    return any(one.kind == "goose" for one in seen)
