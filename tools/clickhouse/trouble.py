"""Why an embedded ClickHouse did not start, and what to do about it, told from what it printed."""

from __future__ import annotations

import re
import shlex
import shutil

from schemas.errors import ServerError
from tools.clickhouse.home import TITLE, Home
from tools.shell import redact

__all__ = ["failure"]

FULL = 1024 * 1024  # bytes: with less the server cannot even write why it ended
TOLD = 2000  # characters of its last words that an error quotes
FRAME = re.compile(r"^\d+\. .* @ 0x[0-9a-f]+$")  # of a stack trace
DISK = ("No space left", "NOT_ENOUGH_SPACE", "CANNOT_WRITE_TO_FILE")
DAMAGE = (
    *("SYNTAX_ERROR", "CORRUPTED_DATA", "CHECKSUM_DOESNT_MATCH", "CANNOT_READ_ALL_DATA", "CANNOT_PARSE"),
    *("UNKNOWN_FORMAT_VERSION", "TOO_MANY_UNEXPECTED_DATA_PARTS", "NO_FILE_IN_DATA_PART", "ATTEMPT_TO_READ_AFTER_EOF"),
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
