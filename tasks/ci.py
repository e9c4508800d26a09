"""Whether the project itself is in order: style, types, floors and tests, the same on a desk and in CI."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from schemas.errors import ToolError
from tasks.work import Outcome, Work
from tools import shell

__all__ = ["run"]

PROJECT = Path(__file__).resolve().parents[1]
DEADLINE = 3600.0  # seconds for one check

CHECKS = (
    ("format", ("ruff", "format", "--check", ".")),
    ("lint", ("ruff", "check", ".")),
    ("types", ("mypy", "--strict", ".")),
    ("floors", ("lint-imports",)),
    ("tests", ("pytest",)),
)


def run(work: Work) -> Outcome:
    """Run the checks in order, the tests last, and stop at the first that fails; what it printed is shown.

    Raises ToolError when a check is not installed.
    """
    for name, (program, *words) in CHECKS:
        command = Path(sys.executable).with_name(program)
        if not command.exists():
            raise ToolError(f"{program} is not installed in {command.parent}", todo="./run doit ci")
        work.progress.now(f"checking {name}")
        streamed = name == "tests"
        began = time.monotonic()
        done = shell.run(
            [command, *words],
            environment=os.environ,
            timeout=DEADLINE,
            cwd=PROJECT,
            on_line=work.out if streamed else None,
            bound_to_us=True,
        )
        if done.code:
            if not streamed:
                work.out((done.out + done.err).rstrip())
            work.out(f"{name:8} failed")
            return Outcome(summary=f"{name} failed", exit_code=1)
        work.out(f"{name:8} ok  {time.monotonic() - began:.1f} s")
    return Outcome(summary=f"{len(CHECKS)} checks passed")
