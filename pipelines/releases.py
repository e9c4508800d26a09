"""How the releases of a run came out, as one table: what a deploy of many services ends with."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pipelines.contents import Step
from pipelines.graph import Job
from schemas.target import Target

__all__ = ["End", "table"]

WIDTH = 100
ROAD = ("promote", "sync", "verify")
HEADS = ("release", "image", "promoted", "synced", "verified")
TAG = re.compile(r"\bm-[0-9a-f]+\b")


class End(NamedTuple):
    """How one job came out."""

    how: str  # done, or what it did without; as before, failed; a job without an end was not run
    says: str = ""  # its phrase, or what went wrong
    todo: str = ""  # the next command, where it failed


def table(jobs: Iterable[Job], ends: Mapping[str, End]) -> list[str]:
    """A line a release, in the order of the jobs, and below one that failed why, and what to type next.

    Empty unless the run deploys several. A name that is longer than its column is never cut: it may be typed.
    """
    made = [job.targets[0] for job in jobs if isinstance(job.verb, Step) and job.verb.over == "release"]
    asked = dict.fromkeys((one.service or "", one.environment) for one in made)
    if len(asked) < 2 or {one.step for one in made} < set(ROAD):  # noqa: PLR2004 - one has said it all in its lines
        return []
    rows = [(_row(*place, ends), list(_below(*place, ends))) for place in asked]
    widths = [max(map(len, column)) for column in zip(HEADS, *(row for row, _ in rows), strict=True)]

    def line(cells: Iterable[str]) -> str:
        return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()

    return [line(HEADS), *(text for row, below in rows for text in (line(row), *below))]


def _row(service: str, environment: str, ends: Mapping[str, End]) -> tuple[str, ...]:
    found = {step: ends.get(_name(step, service, environment)) for step in ROAD}
    promoted = found["promote"]
    tag = TAG.search(promoted.says) if promoted and promoted.how != "failed" else None
    cells = (one.how if one else "not run" for one in found.values())
    return (f"{service}@{environment}", tag[0] if tag else "-", *cells)


def _below(service: str, environment: str, ends: Mapping[str, End]) -> Iterator[str]:
    """Why the first of its steps failed, cut to a line, and what to type, which is not."""
    names = [Target(step="image", service=service).name, *(_name(step, service, environment) for step in ROAD)]
    for name in names:
        end = ends.get(name)
        if end is not None and end.how == "failed":
            yield "    " + textwrap.shorten(f"{name}: {end.says}", WIDTH - 4, placeholder=" …")
            for todo in end.todo.splitlines():
                yield from textwrap.wrap(
                    todo,
                    WIDTH,
                    initial_indent="    → ",
                    subsequent_indent="      ",
                    break_long_words=False,
                    break_on_hyphens=False,
                )
            return


def _name(step: str, service: str, environment: str) -> str:
    return Target(step=step, service=service, environment=environment).name
