"""What `doit migrate` costs: beside goose called by hand, and beside an empty doit when there is nothing to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.monorepo import generate
from bench.timing import Comparison, compare, elapsed
from bench.yard import PROJECT, Yard, folder, run
from schemas.target import LOCAL
from tools import toolchain

__all__ = ["DOC", "measure", "options"]

DOC = "doit migrate beside goose by hand, and with nothing to do beside an empty doit"
PARTS = ("fresh", "cold", "example", "large")
BY_HAND = """
set -eu
for database in "$@"; do
    GOOSE_DRIVER=postgres GOOSE_DBSTRING=$(eval "printf %s \\"\\$URL_$database\\"") \\
        "$GOOSE" -env=none -dir "$FOLDER_PREFIX/$database" up
done
"""
EMPTY = "def task_empty():\n    return {'actions': [], 'uptodate': [True]}\n"


def options(parser: ArgumentParser) -> None:
    """Add this benchmark's options."""
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to time (default: all)")
    parser.add_argument("--databases", type=int, default=12, help="databases that are migrated (12)")
    parser.add_argument("--files", type=int, default=8, help="files of each (8)")
    parser.add_argument("--services", type=int, default=300, help="services of the large monorepo (300)")
    parser.add_argument("--each", type=int, default=20, help="files of each of its services (20)")
    parser.add_argument("--rounds", type=int, default=5, help="pairs of runs that change databases (5)")
    parser.add_argument("--looks", type=int, default=15, help="pairs of runs that only look (15)")
