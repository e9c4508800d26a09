"""Monorepos of ClickHouse services, and a second server that plays a user's own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.journeys.conftest import Monorepo
from tools.clickhouse import Embedded
from tools.clickhouse.server import Connected

__all__ = ["CREATE", "clickhouse", "query", "server"]

CREATE = """-- +goose Up
CREATE TABLE IF NOT EXISTS {db}.{table} ON CLUSTER 'my_cluster' (id UInt64, at DateTime64(3))
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{{shard}}/{{database}}/{{table}}', '{{replica}}') ORDER BY id;
-- +goose Down
DROP TABLE IF EXISTS {db}.{table} ON CLUSTER 'my_cluster' SYNC;
"""


def clickhouse(
    root: Path,
    services: Mapping[str, Mapping[str, str]],
    *,
    names: Mapping[str, str] | None = None,
    local: Mapping[str, str] | None = None,
    more: Mapping[str, Any] | None = None,
) -> Monorepo:
    """Make a monorepo of services with one ClickHouse database each: service -> file name -> whole text.

    ``names`` are the databases' own (the service's otherwise), ``local`` the user's own servers, ``more`` goes into
    every entry of a database.
    """
    entries: dict[str, Any] = {}
    for service, files in services.items():
        name = (names or {}).get(service, service)
        entries[service] = {"databases": {"main": {"engine": "clickhouse", "name": name, **(more or {})}}}
        folder = root / "services" / service / "migrations"
        folder.mkdir(parents=True)
        for file, text in files.items():
            (folder / file).write_bytes(text.encode())
    document = {"version": 1, "environments": {"local": dict(local or {})}, "services": entries}
    (root / "services.yaml").write_text(json.dumps(document, indent=2))
    return Monorepo(root=root)


@contextmanager
def server(monorepo: Monorepo) -> Iterator[Connected]:
    """The monorepo's ClickHouse, running; takes part in its lease as a run of doit does."""
    with Embedded(monorepo.state / "clickhouse").serve(lambda _: None) as one:
        yield one


def query(monorepo: Monorepo, *statements: str) -> list[list[Any]]:
    """Run statements as somebody would by hand; the rows of the last one."""
    with server(monorepo) as one:
        rows: list[list[Any]] = []
        for statement in statements:
            rows = one.address.query(statement)
        return rows
