"""A ClickHouse that checks what migrations become for one server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tools.clickhouse import Embedded
from tools.clickhouse.connection import Address


@pytest.fixture(scope="module", name="server")
def fixture_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    home = tmp_path_factory.mktemp("localize") / "clickhouse"
    engine = Embedded(home, lambda: frozenset({"my_cluster"}))
    with engine.serve(print) as one:
        yield one.address
    engine.stop(print)


def migration(*statements: str) -> bytes:
    blocks = "".join(f"-- +goose StatementBegin\n{one};\n-- +goose StatementEnd\n" for one in statements)
    return f"-- +goose Up\n{blocks}".encode()
