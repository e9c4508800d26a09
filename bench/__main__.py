"""The command line of the benchmarks: ``python -m bench list``, ``python -m bench NAME [options]``."""

from __future__ import annotations

import signal
import sys
from argparse import ArgumentParser
from types import FrameType

from bench import engines, image, lint, migrate, release
from bench.timing import machine, table

__all__ = ["main"]

BENCHMARKS = {"migrate": migrate, "engines": engines, "lint": lint, "image": image, "release": release}


def main(arguments: list[str]) -> int:
    """List the benchmarks, or run one and print its table; a signal ends it and what it has started."""
    parser = ArgumentParser(prog="./run python -m bench", description="Times what we claim about speed.")
    names = parser.add_subparsers(dest="name", metavar="NAME")
    names.add_parser("list", help="list the benchmarks")
    for name, benchmark in BENCHMARKS.items():
        benchmark.options(names.add_parser(name, help=benchmark.DOC, description=benchmark.DOC))
    chosen = parser.parse_args(arguments)
    if chosen.name in {None, "list"}:
        for name, benchmark in BENCHMARKS.items():
            print(f"{name}  {benchmark.DOC}")
        return 0
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    print(machine(), file=sys.stderr)
    comparisons = []
    for comparison in BENCHMARKS[chosen.name].measure(chosen):
        comparisons.append(comparison)
        print(table([comparison])[1], file=sys.stderr)
    print("\n".join([*table(comparisons), machine()]))
    return 0


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the form of a signal handler
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # what was started is being stopped: that is not to be interrupted
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
