"""Whether a migration says that it cannot be taken back: ``-- irreversible: why`` on a line of its own."""

from __future__ import annotations

import re

__all__ = ["reason"]

LINE = re.compile(rb"^\s*--\s*irreversible:[ \t]*(\S[^\r\n]*)", re.MULTILINE | re.IGNORECASE)


def reason(data: bytes) -> str | None:
    """Why the file cannot be taken back; None where it does not say so, or gives no reason."""
    found = LINE.search(data)
    return found[1].decode(errors="replace").strip() if found else None
