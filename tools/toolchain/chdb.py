"""Where the ClickHouse of local runs is: the engine inside the chdb-core package, which has its servers too."""

from __future__ import annotations

from pathlib import Path

from tools.toolchain.embedded import readable
from tools.toolchain.store import LOCKS, Say, locked, pip_install, place, provide

__all__ = ["clickhouse", "clickhouse_place", "pinned_clickhouse"]

LOCK = LOCKS / "clickhouse.txt"


def clickhouse(say: Say) -> Path:
    """The folder that holds the package, installed when first needed. Raises ToolError when that fails."""
    doing = f"installing ClickHouse {pinned_clickhouse()} (a download of about 180 MB)"
    return provide(clickhouse_place(), _install, doing=doing, say=say)


def clickhouse_place() -> Path:
    """The folder of the ClickHouse that we install."""
    return place("clickhouse", [LOCK])


def pinned_clickhouse() -> str:
    """The version of chdb-core, whose first three numbers are those of its ClickHouse."""
    return locked(LOCK)


def _install(part: Path) -> None:
    pip_install(LOCK, "--target", part)
    readable(part)
