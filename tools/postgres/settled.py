"""What the databases of a stopped server hold, proved from its files alone.

PostgreSQL writes global/pg_control at every start and stop. A snapshot taken just before a stop is true for as long as
that file is the same, if nothing was written between the look and the stop: then the shutdown's checkpoint stands
exactly where the write-ahead log ended when we looked (PostgreSQL 16, xlog.c: CreateCheckPoint).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from tools import snapshot
from tools.engine import Contents
from tools.postgres.home import Home

__all__ = ["accept", "recall"]

CONTROL_VERSION = 1300  # pg_control_version of PostgreSQL 13 to 16, pg_control.h
SHUT_DOWN = 1  # DBState: DB_SHUTDOWNED
LAYOUT = struct.Struct("=QIIi4xqQ")  # system identifier, version, catalog version, state, time, checkpoint


def accept(home: Home, contents: Mapping[str, Contents], end: int) -> bool:
    """Keep what a look saw when the log ended at ``end``, if the server wrote nothing more before it shut down."""
    control = _control(home)
    if control is None:
        return False
    _, version, _, state, _, checkpoint = LAYOUT.unpack_from(control)
    if (version, state, checkpoint) != (CONTROL_VERSION, SHUT_DOWN, end):
        return False
    snapshot.keep(_file(home), sha256(control).hexdigest(), contents)
    return True


def recall(home: Home) -> dict[str, Contents] | None:
    """What every database holds, one that is not named does not exist; None when that is not proved."""

    def proof() -> str:
        control = _control(home)
        return sha256(control).hexdigest() if control else ""

    return snapshot.recall(_file(home), proof)


def _file(home: Home) -> Path:
    return home.path / "settled.json"


def _control(home: Home) -> bytes | None:
    try:
        return (home.data / "global" / "pg_control").read_bytes()
    except OSError:
        return None
