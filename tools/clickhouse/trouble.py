"""Why an embedded ClickHouse did not start, and what to do about it, told from what it printed."""

from __future__ import annotations

import re
import shlex
import shutil

from schemas.errors import ServerError
from tools.clickhouse.connection import Address
from tools.clickhouse.home import TITLE, Home
from tools.shell import redact

__all__ = ["broken", "failure"]

FULL = 1024 * 1024  # bytes: with less the server cannot even write why it ended
TOLD = 2000  # characters of its last words that an error quotes
FRAME = re.compile(r"^\d+\. .* @ 0x[0-9a-f]+$")  # of a stack trace
DISK = ("No space left", "NOT_ENOUGH_SPACE", "CANNOT_WRITE_TO_FILE")
DAMAGE = (
    *("SYNTAX_ERROR", "CORRUPTED_DATA", "CHECKSUM_DOESNT_MATCH", "CANNOT_READ_ALL_DATA", "CANNOT_PARSE"),
    *("UNKNOWN_FORMAT_VERSION", "TOO_MANY_UNEXPECTED_DATA_PARTS", "NO_FILE_IN_DATA_PART", "ATTEMPT_TO_READ_AFTER_EOF"),
    "ASYNC_LOAD_WAIT_FAILED",  # of a table whose definition cannot be read
)

BROKEN = "SELECT database, table, path FROM system.detached_parts WHERE startsWith(reason, 'broken') ORDER BY 1, 2, 3"


def broken(home: Home, address: Address) -> ServerError | None:
    """The error for parts of tables that the server cannot read: it puts them aside and goes on without their rows."""
    found = address.query(BROKEN)
    if not found:
        return None
    tables = dict.fromkeys(f"{database}.{table}" for database, table, _ in found)
    folders = " ".join(shlex.quote(path) for _, _, path in found)
    return ServerError(
        f"the data of {TITLE} is damaged: rows of {', '.join(tables)} cannot be read",
        todo=f"{home.aside()}\nor, if nobody needs those rows: rm -r {folders}",
    )


def failure(home: Home, said: str) -> ServerError:
    """The error for a server that ended while starting; ``said`` is what it printed."""
    lines = [line for line in said.splitlines() if line.strip() and not FRAME.match(line)]
    text = redact("\n".join(lines))[-TOLD:]
    folder = shlex.quote(str(home.path))
    if any(sign in text for sign in DISK) or shutil.disk_usage(home.path).free < FULL:
        what, todo = "the disk is full", f"free some space on the disk of {folder}, then run the command again"
    elif "Permission denied" in text:
        what, todo = "it may not use its own files", f"chown them back: ls -lR {folder}"
    elif any(sign in text for sign in DAMAGE):
        what, todo = "its data directory is damaged", home.aside()
    else:
        what, todo = "it ended while starting", f"read its log: {shlex.quote(str(home.log))}\n./run doit doctor"
    return ServerError(f"{TITLE} did not start: {what}", why=text, todo=todo)
