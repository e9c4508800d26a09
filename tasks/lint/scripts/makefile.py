"""What a Makefile runs, by the GNU make manual: recipe lines, and what its variables hold."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tasks.lint.scripts.script import Script

__all__ = ["makefile"]

VARIABLE = re.compile(r"[ ]*(?:(?:export|override|private)[ ]+)*[\w.-]+[ \t]*(?:[:?+!]{0,3}=)")
INLINE = re.compile(r"[^\t#\s=][^#=]*?:[^=;#]*;")
PREFIX = re.compile(r"[@+\- \t]+")


def makefile(text: str) -> Iterator[Script]:
    """Each recipe line with its continuations, and the value of each variable, as scripts."""
    for begin, end in _lines(text):
        line = text[begin:end]
        head = re.match("\t", line) or VARIABLE.match(line) or INLINE.match(line)
        if head:
            skipped = PREFIX.match(line, head.end())
            start = skipped.end() if skipped else head.end()
            script = line[start:].replace("\\\n\t", "\\\n ").replace("$$", " $")
            yield Script(script, range(begin + start, end))


def _lines(text: str) -> Iterator[tuple[int, int]]:
    begin = place = 0
    for line in text.splitlines(keepends=True):
        place += len(line)
        if not line.rstrip("\r\n").endswith("\\"):
            yield begin, place
            begin = place
    if begin < place:
        yield begin, place
