"""PR02 migrations-dir: Prisma keeps no migrations of its own beside goose's.

Problem: A folder holds what Prisma Migrate writes: `migration_lock.toml`, or folders with a `migration.sql`.

Consequence: The schema has two histories. Who runs the other one, by `prisma migrate` or by hand, changes tables that
goose answers for, and a reader cannot tell which of them is true.

Solution: Take the folder out of git. What it has built and goose's files have not becomes the baseline of the database
(`doit baseline`), or a migration.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.catalog import Database
from tasks.lint.finding import Flaw
from tasks.lint.rule import Rule
from tasks.lint.service import Service

__all__ = ["RULE", "check"]

RULE = Rule(code="PR02", name="migrations-dir", severity="error", needs="service")


def check(service: Service) -> Iterator[Flaw]:
    """Each folder of Prisma's migrations, at the first file in it."""
    folders: dict[str, list[str]] = {}
    for source in service.of("migration"):
        inner = source.path.rpartition("/")[0]
        lock = source.path.endswith(".toml")
        folder, entry = (inner, source.path) if lock else (inner.rpartition("/")[0], inner)
        folders.setdefault(folder, []).append(entry)
    streams = {one.migrations for one in service.entry.databases if isinstance(one, Database)} if service.entry else ()
    for folder, entries in folders.items():
        file = entries[0] if entries[0].endswith(".toml") else f"{entries[0]}/migration.sql"
        yield Flaw(
            f"{folder} is a second history of the schema beside goose's: who runs it changes tables that goose answers"
            " for.",
            path=file,
            instead=f"git rm -r {' '.join(entries) if folder in streams else folder}",
        )
