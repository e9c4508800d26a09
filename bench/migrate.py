"""What `doit migrate` costs: beside goose called by hand, and beside an empty doit when there is nothing to do."""

from __future__ import annotations

import shutil
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bench.monorepo import generate
from bench.timing import Comparison, Timed, compare, elapsed
from bench.yard import DOIT, PROJECT, Yard, empty, folder, run
from schemas.target import LOCAL
from tools import toolchain
from tools.postgres.connection import Address

__all__ = ["DOC", "measure", "options"]

DOC = "doit migrate beside goose by hand, and with nothing to do beside an empty doit"
PARTS = ("fresh", "cold", "example", "large")
LOOP = """\
set -e
while read -r folder database; do
    GOOSE_DRIVER=postgres GOOSE_DBSTRING="$SERVER/$database?sslmode=disable" "$GOOSE" -env=none -dir "$folder" up
done
"""


def options(parser: ArgumentParser) -> None:
    """Add this benchmark's options."""
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to time (default: all)")
    parser.add_argument("--databases", type=int, default=12, help="databases that are migrated (default: 12)")
    parser.add_argument("--files", type=int, default=8, help="files of each (default: 8)")
    parser.add_argument("--services", type=int, default=300, help="services of the large monorepo (default: 300)")
    parser.add_argument("--each", type=int, default=20, help="files of each of its services (default: 20)")
    parser.add_argument("--rounds", type=int, default=5, help="pairs of runs that migrate (default: 5)")
    parser.add_argument("--looks", type=int, default=15, help="pairs of runs with nothing to do (default: 15)")


def measure(chosen: Namespace) -> Iterator[Comparison]:
    """Measure what was chosen, one comparison after the other, in a temporary folder."""
    goose = toolchain.goose(print)
    with folder() as place:
        if "fresh" in chosen.parts or "cold" in chosen.parts:
            yard = Yard.at(generate(place / "small", services=chosen.databases, files=chosen.files))
            yard.doit("migrate")  # makes the data directory
            yard.rest()
            size = f"{chosen.databases} databases x {chosen.files} files"
            if "fresh" in chosen.parts:
                yield _fresh(yard, goose, size, chosen.rounds)
            if "cold" in chosen.parts:
                yield _cold(yard, goose, size, chosen.rounds)
        nothing = empty(place / "empty")
        if "example" in chosen.parts:
            yield from _nothing_to_do(_example(place), "example", "auth-service", nothing, chosen.looks)
        if "large" in chosen.parts:
            yard = Yard.at(generate(place / "large", services=chosen.services, files=chosen.each))
            yard.doit("migrate:service-001")
            yard.rest()
            yard.copy_state()
            yield from _nothing_to_do(yard, f"{chosen.services} services", "service-001", nothing, chosen.looks)


def _fresh(yard: Yard, goose: Path, size: str, rounds: int) -> Comparison:
    """Both make the databases and migrate them, on one server that is running already."""
    with yard.kept_server() as server:

        def ours() -> float:
            _drop(yard, server)
            return elapsed(lambda: yard.doit("migrate"))

        def theirs() -> float:
            _drop(yard, server)
            return elapsed(lambda: _by_hand(yard, server, goose))

        return compare(f"doit migrate, {size}", ours, "goose in a loop", theirs, rounds=rounds)


def _cold(yard: Yard, goose: Path, size: str, rounds: int) -> Comparison:
    """Both start the server too."""

    def ours() -> float:
        with yard.bare_server() as server:
            _drop(yard, server)
        taken = elapsed(lambda: yard.doit("migrate"))
        yard.rest()
        return taken

    def theirs() -> float:
        with yard.bare_server() as server:
            _drop(yard, server)
        began = time.perf_counter()
        with yard.bare_server() as server:
            _by_hand(yard, server, goose)
            return time.perf_counter() - began

    return compare(f"doit migrate, {size}, server down", ours, "start, goose in a loop", theirs, rounds=rounds)


def _nothing_to_do(yard: Yard, title: str, service: str, nothing: Timed, looks: int) -> Iterator[Comparison]:
    """Runs that find everything as it should be, each beside an empty doit."""

    def look(*words: str, program: Sequence[str | Path] = DOIT) -> Timed:
        def timed() -> float:
            told = ""

            def work() -> None:
                nonlocal told
                told = yard.doit(*words, program=program)

            taken = elapsed(work)
            if words != ("list",) and "\n0 ran, " not in f"\n{told}":
                sys.exit(f"doit {' '.join(words)} found something to do:\n{told}")
            return taken

        return timed

    one = f"migrate:{service}"
    for what, timed in {
        "doit list": look("list"),
        f"doit {one}": look(one),
        "doit migrate": look("migrate"),
        f"./run doit {one}": look(one, program=(PROJECT / "run", "doit")),
    }.items():
        yield compare(f"{what}, {title}", timed, "an empty doit", nothing, rounds=looks)


def _example(place: Path) -> Yard:
    """The example monorepo, at head."""
    shutil.copytree(PROJECT / "services", place / "example" / "services")
    shutil.copy(PROJECT / "services.yaml", place / "example")
    yard = Yard.at(place / "example" / "services.yaml")
    yard.doit("migrate")
    yard.rest()
    return yard


def _by_hand(yard: Yard, server: Address, goose: Path) -> None:
    """Make the databases over one connection, then run goose on one after the other, as people do."""
    names = {database.names[LOCAL]: yard.catalog.root / database.migrations for database in yard.databases}
    _tell(server, [f'CREATE DATABASE "{name}"' for name in names])
    told = "".join(f"{migrations} {name}\n" for name, migrations in names.items())
    url = server.to("DATABASE", "").partition("/DATABASE")[0]
    run(["sh", "-c", LOOP], cwd=yard.catalog.root, extra={"GOOSE": str(goose), "SERVER": url}, told=told)


def _drop(yard: Yard, server: Address) -> None:
    _tell(server, [f'DROP DATABASE IF EXISTS "{database.names[LOCAL]}" WITH (FORCE)' for database in yard.databases])


def _tell(server: Address, statements: Iterable[str]) -> None:
    with server.connect() as connection:
        for statement in statements:
            connection.execute(statement.encode())
