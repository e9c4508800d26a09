"""What a test of a stream found wrong, and how it is told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from schemas.goose_file import GooseFile
from schemas.statement import Statement
from schemas.structure import Change, told

__all__ = ["Finding", "left_behind", "worded"]

MOST = 12  # changes of one finding that are listed


class Finding(NamedTuple):
    """One thing that is wrong: where, what, and the lines that show it."""

    where: str  # file:line
    what: str
    lines: tuple[str, ...] = ()


def left_behind(path: str, parsed: GooseFile, changes: Sequence[Change], *, again: bool) -> Finding:
    """A file after whose Down (or, ``again``, second Up) the structure is another one than before."""
    guilty = next(filter(None, (_maker(parsed, change) for change in changes)), None)
    what = (
        "after Up, Down and Up again the structure is not what the first Up had made"
        if again
        else "after Down the structure is not what it was before Up"
    )
    return Finding(where=f"{path}:{guilty.line}" if guilty else path, what=what, lines=_listed(changes))


def worded(findings: Sequence[Finding]) -> str:
    """All findings, each with its place first."""
    lines: list[str] = []
    for finding in findings:
        lines += [f"{finding.where}: {finding.what}", *(f"    {line}" for line in finding.lines)]
    return "\n".join(lines)


def _listed(changes: Sequence[Change]) -> tuple[str, ...]:
    lines = [line for change in changes[:MOST] for line in told(change)]
    return (*lines, f"… and {len(changes) - MOST} more") if len(changes) > MOST else tuple(lines)


def _maker(parsed: GooseFile, change: Change) -> Statement | None:
    """The first statement of Up that names the object; of Down, where Up does not."""
    bare = change.object.name.partition("(")[0].rpartition(".")[2].strip('"')
    named = re.compile(rf"(?<!\w){re.escape(bare)}(?!\w)", re.IGNORECASE)
    return next((one for one in (*parsed.up, *parsed.down) if named.search(one.text)), None)
