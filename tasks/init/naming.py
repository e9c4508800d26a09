"""The names of physical databases, where something says them, and names that would do where nothing does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from schemas.target import LOCAL
from tasks.init.charts import Charts, database_names
from tasks.init.entry import Entry
from tasks.init.text import From, Guess

__all__ = ["Naming"]

TABLE = re.compile(r"([a-z_][a-z0-9_]{0,62}\.)?[a-z_][a-z0-9_]{0,62}")
JOB = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
LONGEST = 63
OWN = frozenset(("postgres", "template0", "template1", "default", "system"))


class Naming:
    """Gives each database its names, one after another; no two get one name in one environment."""

    def __init__(self, seen: Charts, environments: Sequence[str]) -> None:
        self.seen, self.environments = seen, environments
        self.remarks: list[tuple[str, str]] = []
        self._built: dict[tuple[str, str, str, str], str] = {}
        self._jobs: set[str] = set()

    def of(self, entry: Entry, table: str, *, several: bool) -> Any:
        """The value of ``name:``; None where none is needed. ``table`` is the version table."""
        stem = entry.service.replace("-", "_")
        stem = f"{stem}_{entry.key.replace('-', '_')}" if several and entry.key != entry.service else stem
        if entry.verdict.engine == "clickhouse":
            return self._clickhouse(entry, stem, table, several=several)
        names: dict[str, Any] = {}
        for environment in self.environments:
            seen = self._seen(entry, environment, several=several)
            names[environment] = Guess(_cut(stem, environment), "nothing says it")
            if seen and self._take(entry, environment, seen, table):
                names[environment] = From(*seen)
        return names or None

    def is_table(self, name: str) -> bool:
        """Whether services.yaml takes it for a version table."""
        return bool(TABLE.fullmatch(name))

    def is_free_job(self, name: str) -> bool:
        """Whether a Job may be called so, and none is yet."""
        free = bool(JOB.fullmatch(name)) and name not in self._jobs
        self._jobs.add(name)
        return free

    def _clickhouse(self, entry: Entry, stem: str, table: str, *, several: bool) -> Any:
        """One name for every environment, as the files qualify their tables with it."""
        folder, qualifiers = (entry.stream.folder, entry.stream.reading.qualifiers) if entry.stream else ("", {})
        named = max(qualifiers, key=lambda one: qualifiers[one], default="")
        ways = [(named, f"{folder}: its tables are {named}.…")] if named else []
        for environment in self.environments:
            seen = self._seen(entry, environment, several=several)
            ways += [seen] if seen else []
        for way in ways:
            if "-" not in way[0] and self._take(entry, LOCAL, way, table):
                return From(*way)
        return Guess(f"{stem}_db"[:LONGEST], "nothing says it")

    def _seen(self, entry: Entry, environment: str, *, several: bool) -> tuple[str, str] | None:
        """The one name that the service's values give to it there, and the file; None for none, or several."""
        found: dict[str, str] = {}
        for values in self.seen.values:
            if (values.service, values.environment) == (entry.folder, environment):
                for name in database_names(values.data, entry.key, entry.verdict.engine, alone=not several):
                    found.setdefault(name, values.path)
        return next(iter(found.items())) if len(found) == 1 else None

    def _take(self, entry: Entry, environment: str, way: tuple[str, str], table: str) -> bool:
        """Whether it may have that name there: none before it has, and it is not a server's own."""
        name, where = way
        place = entry.verdict.engine, environment, name, table
        other = self._built.setdefault(place, entry.label)
        if other != entry.label:
            self.remarks.append((where, f"{other} and {entry.label} would both build {name} in {environment}"))
        return other == entry.label and name not in OWN


def _cut(stem: str, environment: str) -> str:
    end = f"_{environment.replace('-', '_')}"
    return stem[: LONGEST - len(end)] + end
