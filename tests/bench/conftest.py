"""How a benchmark is run: as its command, in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

Bench = Callable[..., str]


@pytest.fixture(name="bench")
def fixture_bench(tmp_path: Path) -> Bench:
    def run(*words: str) -> str:
        """What `python -m bench WORDS` reports; it must end well."""
        done = subprocess.run(
            [sys.executable, "-m", "bench", *words],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    return run
