"""How two ways to do the same compare: run in turns on one machine, so that what disturbs one disturbs the other."""

from __future__ import annotations

import os
import platform
import resource
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

__all__ = ["Comparison", "compare", "cpu", "elapsed", "machine", "table"]

Timed = Callable[[], float]
"""Does the thing once and returns the seconds that count; what it prepares and tidies up does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Times of what is measured and of what it is measured against, in seconds, pair by pair."""

    what: str
    against: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def ratios(self) -> list[float]:
        """Ours by theirs, of each pair."""
        return [our / their for our, their in zip(self.ours, self.theirs, strict=True)]


def compare(what: str, ours: Timed, against: str, theirs: Timed, *, rounds: int, warm: int = 1) -> Comparison:
    """Time both in turns, A B A B ..., after ``warm`` pairs that are not counted."""
    pairs = [(ours(), theirs()) for _ in range(warm + rounds)][warm:]
    return Comparison(
        what=what, against=against, ours=tuple(our for our, _ in pairs), theirs=tuple(their for _, their in pairs)
    )


def elapsed(work: Callable[[], object]) -> float:
    """The seconds that a call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def cpu() -> float:
    """The seconds that processors have worked for the programs that this one has run."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def table(comparisons: Iterable[Comparison]) -> list[str]:
    """A line a comparison: what, both medians, and the median of the paired ratios with their range."""
    rows = [("what", "ms", "against", "ms", "ratio", "min-max", "pairs")]
    for one in comparisons:
        ratios = one.ratios
        rows.append(
            (
                one.what,
                f"{1000 * median(one.ours):.0f}",
                one.against,
                f"{1000 * median(one.theirs):.0f}",
                f"{median(ratios):.2f}",
                f"{min(ratios):.2f}-{max(ratios):.2f}",
                str(len(ratios)),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    left = {0, 2}
    return [
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def machine() -> str:
    """The machine on which the figures were taken, and how busy it was."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = os.getloadavg()[0]
    return (
        f"{platform.system()} {platform.machine()}, {cores} cores, Python {platform.python_version()}, load {load:.1f}"
    )
