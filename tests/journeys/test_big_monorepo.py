"""Three hundred services with twenty files each: one target touches its own folder and database, and nothing else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from tests.journeys.conftest import Make

from tests.journeys.conftest import counts, ran

SERVICES, FILES = 300, 20
FIRST = """-- +goose Up
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE EXTENSION IF NOT EXISTS citext;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE TABLE t1 (
    id TEXT PRIMARY KEY DEFAULT uuid_generate_v4()::TEXT, name CITEXT, secret BYTEA DEFAULT gen_random_bytes(8)
);
CREATE INDEX idx_t1_name ON t1 USING gin ((name::TEXT) gin_trgm_ops);
-- +goose Down
DROP TABLE t1;
"""
OTHER = "-- +goose Up\nCREATE TABLE t{0} (id TEXT PRIMARY KEY);\n-- +goose Down\nDROP TABLE t{0};\n"


def test_one_of_many(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    stream = {"00001_init.sql": FIRST} | {f"{n:05}_add_t{n}.sql": OTHER.format(n) for n in range(2, FILES + 1)}
    monorepo = make({f"service-{n:03}": stream for n in range(1, SERVICES + 1)})
    took = {}

    def timed(*words: str) -> str:
        began = time.perf_counter()
        done = monorepo.fine(*words)
        took[" ".join(words)] = time.perf_counter() - began
        if words[0].startswith("migrate"):
            assert len(done.stderr.splitlines()) < 20
        return done.stdout + done.stderr

    assert "service-001" not in timed("list")
    assert len(timed("list", "migrate").split()) == SERVICES
    monorepo.folder("service-001").chmod(0)
    (monorepo.folder("service-002") / "00021_broken.sql").write_text("no annotation\n")
    (monorepo.folder("service-003") / "00001_again.sql").write_text(OTHER.format(1))
    assert "20 files applied" in timed("migrate:service-150")
    assert "0 ran, 1 up to date, 0 failed" in timed("migrate:service-150")
    assert "at head, 20 files applied" in timed("status:service-150")
    assert "up to date: all 20 files" in timed("why", "migrate:service-150")
    names = "SELECT datname FROM pg_database WHERE datname LIKE 'service%'"
    assert monorepo.sql("service-150/main", names) == [("service_150_main",)]
    done = monorepo.fine("migrate:service-15*")
    assert counts(done) == (9, 1, 0)
    assert set(ran(done)) == {f"migrate:service-{n}/main" for n in range(151, 160)}
    monorepo.folder("service-001").chmod(0o755)
    with capsys.disabled():
        print("\n" + "".join(f"  {seconds:5.2f} s  doit {words}\n" for words, seconds in took.items()), end="")  # noqa: T201 - the figures
