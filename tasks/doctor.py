"""Which programs the steps use on this machine, and what is missing for which step."""

from __future__ import annotations

import json
from dataclasses import asdict

from schemas.target import LOCAL
from tasks.work import Outcome, Work
from tools.toolchain import Program, programs

__all__ = ["run"]

BROUGHT_FOR = {"postgres": ("PostgreSQL", "Node.js"), "clickhouse": ("ClickHouse",)}
"""Programs that nobody needs where an engine is the user's own server."""


def run(work: Work) -> Outcome:
    """Show every program: version, where from, which steps need it, how to get it. Exit code 1 when one is missing."""
    not_needed = {name for engine in work.catalog.environments[LOCAL].servers for name in BROUGHT_FOR[engine]}
    found = tuple(program for program in programs() if program.name not in not_needed)
    missing = tuple(program for program in found if program.state == "missing")
    if work.variables.get("format") == "json":
        work.out(json.dumps(document(found), indent=2, ensure_ascii=False))
    else:
        for line in table(found):
            work.out(line)
    if missing:
        return Outcome(summary=f"missing: {', '.join(program.name for program in missing)}", exit_code=1)
    return Outcome(summary=f"{len(found)} programs, none missing")


def document(found: tuple[Program, ...]) -> dict[str, object]:
    """What ``format=json`` prints, as schemas/doctor.schema.json describes it."""
    return {"version": 1, "programs": [asdict(program) for program in found]}


def table(found: tuple[Program, ...]) -> list[str]:
    """The same for people: a line a program, and below it what to do where one is missing."""
    head = ("program", "version", "from", "state", "needed by", "where, or how to get it")
    rows = [head, *(_row(program) for program in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head) - 1)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]) for row in rows
    ]
    return [*lines, *(f"{program.name}: {limit}" for program in found for limit in program.limits)]


def _row(program: Program) -> tuple[str, ...]:
    where = program.path or program.obtain
    return (
        program.name,
        program.version or "-",
        program.source or "-",
        program.state,
        ", ".join(program.needed_by),
        where,
    )
