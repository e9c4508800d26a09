"""ClickHouse in the local environment: our embedded one, or the user's own."""

from __future__ import annotations

from tools.clickhouse.embedded import Embedded
from tools.clickhouse.own import Own

__all__ = ["Embedded", "Own"]
