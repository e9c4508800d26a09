from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests import registries

ROOT = Path(__file__).parents[2]


def test_services_that_are_up_to_date_cost_one_question_each(tmp_path: Path) -> None:
    registries.program()
    words = ("image", "--services", "3", "--files", "2", "--rounds", "1")
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout.count("asked: 3 HEAD\n") == 2, "a pair to warm up and a pair that counts"
    assert "doit image, 3 services up to date" in done.stdout
