"""Which account runs PostgreSQL, which refuses to run as root."""

from __future__ import annotations

from pathlib import Path

from tools import account
from tools.account import Account

__all__ = ["Account", "choose"]


def choose(data: Path, programs: Path) -> Account | None:
    """The account for a data directory, as `tools.account.choose` says; ``programs`` is the folder of its programs."""
    executed = (programs / "initdb", programs / "postgres")
    return account.choose(data, executed, title="PostgreSQL", named="postgres")
