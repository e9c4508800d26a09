from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.monorepo import generate
from schemas.catalog_file import load
from schemas.stream import read

ROOT = Path(__file__).parents[2]


def test_a_generated_monorepo_loads_and_holds_migrations_that_goose_takes(tmp_path: Path) -> None:
    catalog = load(generate(tmp_path, services=3, files=20))
    databases = list(catalog.databases())
    assert [database.label for database in databases] == ["service-001/main", "service-002/main", "service-003/main"]
    for database in databases:
        stream = read(catalog.root / database.migrations, catalog.root, {})
        assert stream.problems == ()
        assert [migration.version for migration in stream.migrations] == list(range(1, 21))
        assert stream.migrations[0].name == "00001_init.sql"


@pytest.mark.parametrize("words", [["list"], []], ids=["list", "no word"])
def test_the_benchmarks_are_listed(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("migrate  ")
