"""What the tests of lint judge files with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from schemas.catalog import Database, EngineName
from tools import toolchain
from tools.clickhouse.syntax import Parser


def database(engine: EngineName = "postgres", **given: Any) -> Database:
    """The database of a stream in the folder ``m``, but for what is given."""
    usual = {"service": "shop", "key": "main", "names": {"local": "shop"}, "migrations": "m"}
    return Database(**{"engine": engine, "url_env": {}, "table": "goose_db_version", "job": "", **usual, **given})


@pytest.fixture(scope="module")
def parser() -> Iterator[Parser]:
    """ClickHouse's own parser."""
    found = Parser(lambda: toolchain.clickhouse(print))
    yield found
    found.close()
