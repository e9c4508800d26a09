"""A cluster to look at: ``./run python -m tests.cluster`` says how to reach it, and Ctrl-C takes it down."""

from __future__ import annotations

import shlex
import signal
import sys
from contextlib import suppress
from dataclasses import asdict

from tests.cluster.cluster import OWN, up
from tools.toolchain.cluster import cluster_lacks, cluster_place

__all__ = ["main"]


def main() -> int:
    """Print variables, which a shell takes and the tests too, and wait for a signal."""
    lacks = cluster_lacks()
    if lacks:
        sys.stderr.write(f"a cluster needs {' and '.join(lacks)}\n")
        return 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with up(lambda line: print(line, file=sys.stderr)) as cluster:  # noqa: T201 - a program for a terminal
        for name, value in asdict(cluster).items():
            print(f"export {OWN}{name.upper()}={shlex.quote(value)}", flush=True)  # noqa: T201
        print(f"export KUBECONFIG={cluster.kubeconfig} PATH={cluster_place()}:$PATH", flush=True)  # noqa: T201
        with suppress(KeyboardInterrupt):
            signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main())
