"""Which engine serves a database in the local environment."""

from __future__ import annotations

import os
from contextlib import suppress

from schemas.catalog import Catalog, EngineName
from schemas.target import LOCAL
from tools.engine import Baseline, Engine

__all__ = ["local", "scratch"]


def local(name: EngineName, catalog: Catalog) -> Engine:
    """The engine of that name: the user's own server when services.yaml gives its URL, else the embedded one."""
    url, state = catalog.environments[LOCAL].servers.get(name), catalog.root / ".state"
    if name == "postgres":
        from tools import postgres  # noqa: PLC0415 - start-up: only who needs this engine loads it

        return postgres.Own(url) if url else postgres.Embedded(state / "postgres")
    from tools import clickhouse  # noqa: PLC0415 - the same

    home = state / "clickhouse"
    return clickhouse.Own(url, home / "own") if url else clickhouse.Embedded(home, lambda: _clusters(catalog))


def scratch(name: EngineName, catalog: Catalog, baseline: Baseline | None = None) -> Engine:
    """An embedded engine of its own for tests, whatever server services.yaml names for the local databases.

    It knows the clusters that the baseline speaks of, beside those of the monorepo's files.
    """
    home = catalog.root / ".state" / "scratch" / name
    if name == "postgres":
        from tools import postgres  # noqa: PLC0415 - as above

        return postgres.Embedded(home, scratch=True)
    from tools import clickhouse  # noqa: PLC0415 - as above

    return clickhouse.Embedded(home, lambda: _clusters(catalog, baseline), scratch=True)


def _clusters(catalog: Catalog, baseline: Baseline | None = None) -> frozenset[str]:
    """Every cluster that the ClickHouse files name; one that cannot be read is for its own step to report."""
    from schemas.goose_file import GooseSyntax  # noqa: PLC0415 - start-up: only a server that starts asks
    from schemas.stream import collect  # noqa: PLC0415 - the same
    from tools.clickhouse.clusters import clusters  # noqa: PLC0415 - the same

    texts = [baseline.migration] if baseline else []
    for database in catalog.databases():
        if database.engine == "clickhouse":
            files = collect(catalog.root / database.migrations, catalog.root).migrations
            texts += [migration.data for migration in files]
            if database.baseline:
                with suppress(OSError):
                    file = catalog.root / database.baseline
                    texts.append(Baseline(path=database.baseline, text=file.read_bytes()).migration)
    found = {"default"}
    for text in texts:
        with suppress(GooseSyntax):
            found |= clusters([text], os.environ)
    return frozenset(found)
