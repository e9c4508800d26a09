"""What the databases of a stopped server hold, proved from its files alone.

PostgreSQL writes global/pg_control at every start and stop. A snapshot taken just before a stop is true for as long as
that file is the same, if nothing was written between the look and the stop: then the shutdown's checkpoint stands
exactly where the write-ahead log ended when we looked (PostgreSQL 16, xlog.c: CreateCheckPoint).
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from tools.engine import Contents, Row
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
    document = {
        "control": sha256(control).hexdigest(),
        "databases": {name: {"mark": one.mark, "tables": _plain(one)} for name, one in contents.items()},
    }
    fresh = home.path / ".settled"
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(document, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(_file(home))
    return True


def recall(home: Home) -> dict[str, Contents] | None:
    """What every database holds, one that is not named does not exist; None when that is not proved."""
    try:
        document = json.loads(_file(home).read_bytes())
    except (OSError, ValueError):
        return None
    control = _control(home)
    if control is None or document["control"] != sha256(control).hexdigest():
        return None
    return {name: _contents(one) for name, one in document["databases"].items()}


def _file(home: Home) -> Path:
    return home.path / "settled.json"


def _control(home: Home) -> bytes | None:
    try:
        return (home.data / "global" / "pg_control").read_bytes()
    except OSError:
        return None


def _plain(contents: Contents) -> dict[str, list[list[int | str | None]]]:
    return {
        table: [[row.version, row.at.isoformat() if row.at else None] for row in rows]
        for table, rows in contents.tables.items()
    }


def _contents(document: Mapping[str, object]) -> Contents:
    tables, mark = document["tables"], document["mark"]
    assert isinstance(tables, dict)  # noqa: S101 - for the type checker: we wrote the file
    return Contents(
        exists=True,
        mark=mark if isinstance(mark, str) else None,
        tables={
            table: tuple(Row(version=version, at=datetime.fromisoformat(at) if at else None) for version, at in rows)
            for table, rows in tables.items()
        },
    )
