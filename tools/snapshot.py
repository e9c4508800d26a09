"""What all databases of a server held when it was last looked at, kept in a file with what proves it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from tools.engine import Contents, Row

__all__ = ["keep", "recall"]


def keep(file: Path, proof: str, contents: Mapping[str, Contents]) -> None:
    """Write the contents, which are true for as long as ``proof`` is."""
    document = {
        "proof": proof,
        "databases": {name: {"mark": one.mark, "tables": _plain(one)} for name, one in contents.items()},
    }
    fresh = file.with_name(f".{file.stem}")
    with fresh.open("w", encoding="utf-8") as written:
        json.dump(document, written)
        written.flush()
        os.fsync(written.fileno())
    fresh.replace(file)


def recall(file: Path, proof: Callable[[], str]) -> dict[str, Contents] | None:
    """What every database holds, one that is not named does not exist; None when it is not proved as ``proof`` says."""
    try:
        document = json.loads(file.read_bytes())
        if document["proof"] != (proof() or None):
            return None
        return {name: _contents(one) for name, one in document["databases"].items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):  # nothing that we wrote
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
