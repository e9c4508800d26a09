"""Which engine serves a database in the local environment."""

from __future__ import annotations

from schemas.catalog import Catalog, EngineName
from schemas.target import LOCAL
from tools.engine import Engine

__all__ = ["local"]


def local(name: EngineName, catalog: Catalog, clusters: frozenset[str] = frozenset()) -> Engine:
    """The engine of that name: the user's own server when services.yaml gives its URL, else the embedded one.

    ``clusters`` are those that the migrations of ClickHouse databases name.
    """
    url, state = catalog.environments[LOCAL].servers.get(name), catalog.root / ".state"
    if name == "postgres":
        from tools import postgres  # noqa: PLC0415 - start-up: only who needs this engine loads it

        return postgres.Own(url) if url else postgres.Embedded(state / "postgres")
    from tools import clickhouse  # noqa: PLC0415 - the same

    home = state / "clickhouse"
    return clickhouse.Own(url, home / "own") if url else clickhouse.Embedded(home, clusters)
