"""What rules over a stream look at, read from its folder and what stands around it."""

from __future__ import annotations

from pathlib import Path

from schemas.catalog import Database
from schemas.stream import collect
from tasks.lint.base import Base
from tasks.lint.reading import Readings, files
from tasks.lint.stream import Dotenv, Stream
from tools.clickhouse.syntax import Parser

__all__ = ["dotenvs", "gather"]

LARGEST = 1_000_000  # bytes of a .env that are looked at


def gather(root: Path, database: Database, service: str, base: Base | None, parser: Parser | None) -> Stream:
    """A stream; ``service`` is the folder of its service, and without a ``parser`` nobody asks ClickHouse."""
    found = collect(root / database.migrations, root)
    readings = Readings(parser)
    return Stream(
        database=database,
        files=files(found.migrations, database, readings),
        problems=found.problems,
        dotenvs=dotenvs(root, database, service),
        base=base,
        readings=readings,
    )


def dotenvs(root: Path, database: Database, service: str) -> tuple[Dotenv, ...]:
    """The ``.env`` files of the stream's folder and of its service's."""
    found = []
    for folder in dict.fromkeys((database.migrations, service)):
        path = root / folder / ".env"
        try:
            if not path.is_file():
                continue
            with path.open("rb") as file:
                lines = file.read(LARGEST).splitlines()
        except OSError:
            lines = []
        number = next((n for n, line in enumerate(lines, 1) if _for_goose(line)), 0)
        found.append(Dotenv(f"{folder}/.env", number))
    return tuple(found)


def _for_goose(line: bytes) -> bool:
    return line.strip().removeprefix(b"export ").lstrip().upper().startswith(b"GOOSE_")
