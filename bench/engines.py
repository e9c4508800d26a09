"""What the embedded servers cost: the time from nothing running to a first answer, and the memory they then hold."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path

from bench.timing import Comparison, compare, elapsed
from bench.yard import folder
from tools import clickhouse, postgres
from tools.engine import Engine

__all__ = ["DOC", "measure", "options"]

DOC = "start each embedded server until its first answer, and read its memory"
KIB = 1024


def options(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--rounds", type=int, default=5, help="how often each server is started (default 5)")


def measure(chosen: Namespace) -> Iterator[Comparison]:
    """Start both engines in turns on data directories that are there already; print what memory they hold then."""
    with folder() as place:
        engines: dict[str, Engine] = {
            "ClickHouse": clickhouse.Embedded(place / "clickhouse"),
            "PostgreSQL": postgres.Embedded(place / "postgres"),
        }
        for name, engine in engines.items():
            with engine.serve(lambda _: None) as server:
                server.contents(["first"])
                print(f"{name} {server.version}: {_memory(place / engine.name) / KIB:.0f} MiB")
        yield compare(
            "ClickHouse, to its first answer",
            lambda: _first_answer(engines["ClickHouse"]),
            "PostgreSQL, to its first answer",
            lambda: _first_answer(engines["PostgreSQL"]),
            rounds=chosen.rounds,
        )


def _first_answer(engine: Engine) -> float:
    def ask() -> None:
        with engine.serve(lambda _: None) as server:
            server.contents(["first"])

    engine.settled(lambda _: None)  # the one before has stopped
    return elapsed(ask)


def _memory(home: Path) -> int:
    """KiB that the server and its keeper hold, shared pages counted once (Linux: Pss of proc_pid_smaps_rollup(5))."""
    family = {int(json.loads((home / "server.json").read_text())["keeper"])}
    processes = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    parents = {pid: _parent(pid) for pid in processes}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(_pss(pid) for pid in family)


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it has just ended
        return 0


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
