"""GS18 encoding: a migration is UTF-8 text that goose reads line by line.

Problem: The file begins with a byte order mark, holds bytes that are no UTF-8 or a NUL, ends its lines with CR alone,
or has a line of 4 MiB.

Consequence: goose or the server refuses the file, after the files before were applied; or a text arrives as another.

Solution: Save the file as UTF-8 without byte order mark, with LF at the ends of lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tasks.lint.file import File
from tasks.lint.finding import Edit, Flaw
from tasks.lint.rule import Rule

__all__ = ["RULE", "check"]

RULE = Rule(code="GS18", name="encoding", severity="error", needs="file")

FOREIGN = re.compile("[\0\ud800-\udfff]")
MARK = b"\xef\xbb\xbf"


def check(file: File) -> Iterator[Flaw]:
    """What is wrong with the bytes."""
    for refusal in file.refused("encoding"):
        marked = file.data.startswith(MARK)
        yield Flaw(
            f"goose will stop at this file, after it has applied the ones before: {refusal.message}.",
            line=refusal.line,
            fix=(Edit(0, len(MARK), ""),) if marked else (),
        )
    if b"\r" in file.data and b"\n" not in file.data:
        yield Flaw("goose will take the whole file for one line, because its lines end in CR alone.")
    for number, line in enumerate(file.lines, 1):
        found = FOREIGN.search(line)
        if found:
            what = "a NUL, which no server takes" if found[0] == "\0" else "no UTF-8"
            begins = "The server will refuse the file or store another text"
            yield Flaw(f"{begins}: this byte is {what}.", number, found.start() + 1)
            return
