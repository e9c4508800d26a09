"""Why an embedded PostgreSQL did not start, and what to do about it, told from what it logged."""

from __future__ import annotations

import json
import shlex
import shutil

from schemas.errors import ServerError
from tools.postgres.home import Home

__all__ = ["failure"]

FULL = 1024 * 1024  # bytes: with less the server cannot even write why it ended
LINES = 8  # of the log that an error quotes
DAMAGE = ("pg_control", "checkpoint record", "PG_VERSION", "invalid data in", "could not open directory", "corrupt")


def failure(home: Home, said: str, since: float) -> ServerError:
    """The error for a server that ended while starting.

    ``said`` is what it wrote before it opened its log, ``since`` the time of the start, in seconds since the epoch.
    """
    lines = [*said.strip().splitlines(), *_logged(home, since)]
    # the server announces where its log goes, which tells nothing about what went wrong
    lines = [line for line in lines if "logging collector" not in line and "Future log output" not in line]
    text = "\n".join(lines[-LINES:])
    folder = shlex.quote(str(home.path))
    if "No space left" in text or shutil.disk_usage(home.path).free < FULL:
        what, todo = "the disk is full", f"free some space on the disk of {folder}, then run the command again"
    elif any(sign in text for sign in DAMAGE):
        what, todo = "its data directory is damaged", home.aside()
    elif "Permission denied" in text:
        what, todo = "it may not use its own files", f"chown them back: ls -lR {folder}"
    else:
        what, todo = "it ended while starting", f"read its log: ls {shlex.quote(str(home.log))}\n./run doit doctor"
    return ServerError(f"the local PostgreSQL did not start: {what}", why=text, todo=todo)


def _logged(home: Home, since: float) -> list[str]:
    """The last messages that were logged since then, one a line: the alarming ones if there are such."""
    newest = max(home.log.glob("*.json"), default=None)
    if newest is None or newest.stat().st_mtime < since:
        return []
    messages = []
    for line in newest.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:  # the last line of a full disk
            continue
        messages.append(f"{entry.get('error_severity', '')}: {entry.get('message', '')}")
    return [message for message in messages if not message.startswith("LOG")][-LINES:] or messages[-LINES:]
