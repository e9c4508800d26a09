"""What ``fix=true`` does: the safe fixes of findings that count, made in migrations that nobody else has yet."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable
from difflib import unified_diff
from pathlib import Path

from schemas.errors import Refused
from tasks.lint.finding import Finding, printable
from tasks.lint.fix import fixed
from tasks.lint.stream import Stream
from tools import whole

__all__ = ["mend"]


def mend(root: Path, stream: Stream, findings: Iterable[Finding], say: Callable[[str], None]) -> bool:
    """Make the fixes, show each file's difference, and answer whether anything was written.

    A merged file stays as it is, and so does one behind a link, one that is no UTF-8, and one that was edited since it
    was read. Raises Refused where nothing tells which files are merged, and where a file cannot be written.
    """
    wanted = [one for one in findings if one.fix]
    if wanted and stream.base is None:
        raise Refused(
            f"{stream.database.label}: nothing tells which files are merged, and a merged one is never changed",
            todo=f"doit lint:{stream.database.label} says what is missing",
        )
    merged = stream.base.merged if stream.base else frozenset()
    written = False
    for file in stream.files:
        those = [one for one in wanted if one.path == file.path]
        if those and file.name not in merged:
            written |= _write(root / file.path, file.path, file.data, fixed(file.data, those), say)
    return written


def _write(place: Path, path: str, before: bytes, after: bytes, say: Callable[[str], None]) -> bool:
    try:
        old, new = before.decode(), after.decode()
        if old == new or place.is_symlink() or place.read_bytes() != before:
            return False
        whole.replace(place, new, stat.S_IMODE(place.stat().st_mode))
    except UnicodeDecodeError:
        return False
    except OSError as error:
        raise Refused(f"the fix cannot be written: {error.strerror}", where=path) from error
    lines = unified_diff(old.splitlines(), new.splitlines(), path, path, lineterm="")
    say(printable("\n".join(lines)))
    return True
