"""What the server's log knows about a failed statement: position, detail, hint and context, which goose leaves out."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from tools.engine import Diagnosis

__all__ = ["last"]

TAIL = 4 * 1024 * 1024  # bytes of a log file that are searched, from its end
NAME_LIMIT = 63  # bytes that PostgreSQL keeps of an application name
PATIENCE = 0.5  # seconds for the log to catch up: another process writes it than the one that answers
FAILED = ("ERROR", "FATAL")


def last(folder: Path, application: str) -> Diagnosis | None:
    """The last failed statement of the application in the newest logs; None when there is none."""
    name = application.encode()[:NAME_LIMIT].decode(errors="ignore")
    deadline = time.monotonic() + PATIENCE
    while True:
        for file in sorted(folder.glob("*.json"), reverse=True):
            if found := _search(file, name):
                return found
        if time.monotonic() > deadline:
            return None
        time.sleep(0.02)


def _search(file: Path, application: str) -> Diagnosis | None:
    with file.open("rb") as log:
        log.seek(max(file.stat().st_size - TAIL, 0))
        lines = log.read().splitlines()
    wanted = json.dumps(application, ensure_ascii=False).encode()
    for line in reversed(lines):
        if wanted not in line:
            continue
        try:
            entry = json.loads(line)
        except ValueError:  # half a line: being written, or cut at the start of the tail
            continue
        if entry.get("application_name") == application and entry.get("error_severity") in FAILED:
            return _diagnosis(entry)
    return None


def _diagnosis(entry: dict[str, Any]) -> Diagnosis:
    """PostgreSQL 16's keys of a JSON log entry (runtime-config-logging, table of keys)."""
    return Diagnosis(
        code=entry.get("state_code", ""),
        message=entry.get("message", ""),
        statement=entry.get("statement", ""),
        position=entry.get("cursor_position"),
        detail=entry.get("detail", ""),
        hint=entry.get("hint", ""),
        context=entry.get("context", ""),
    )
