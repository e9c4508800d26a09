"""Which engine serves a database in the local environment."""

from __future__ import annotations

from schemas.catalog import Catalog, EngineName
from schemas.errors import ServerError
from schemas.target import LOCAL
from tools.engine import Engine

__all__ = ["local"]


def local(name: EngineName, catalog: Catalog) -> Engine:
    """The engine of that name: the user's own server when services.yaml gives its URL, else the embedded one.

    Raises ServerError for an engine that this version does not run.
    """
    url = catalog.environments[LOCAL].servers.get(name)
    if name == "postgres":
        from tools import postgres  # noqa: PLC0415 - start-up: only who needs this engine loads it

        return postgres.Own(url) if url else postgres.Embedded(catalog.root / ".state" / "postgres")
    raise ServerError(f"{name} does not run locally yet")
