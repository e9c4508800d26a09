"""Where comments stand in a file: those that reach to the end of their line, in SQL and in the files around it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from schemas.catalog import EngineName

__all__ = ["Comment", "in_sql", "in_text"]

STARTS = {
    "postgres": r"(?P<text>[eE]'(?:[^'\\]|\\.)*+'?|'[^']*'?|\"[^\"]*\"?)|(?P<dollar>\$(?:[A-Za-z_]\w*)?\$)",
    "clickhouse": r"(?P<text>'(?:[^'\\]|\\.)*+'?|\"(?:[^\"\\]|\\.)*+\"?|`(?:[^`\\]|\\.)*+`?)|(?P<dollar>(?!))",
}
LEXERS = {
    engine: re.compile(rf"(?P<comment>--[^\n]*)|(?P<block>/\*)|{rest}", re.DOTALL) for engine, rest in STARTS.items()
}
DEEPEST = 3  # bodies within bodies that are looked into
MARKS = {".json": "", ".prisma": "//", ".js": "//", ".mjs": "//", ".cjs": "//", ".ts": "//", ".jsonc": "//"}


class Comment(NamedTuple):
    """A comment up to the end of its line; line and column count from 1, in characters."""

    line: int
    column: int
    text: str  # without its mark
    alone: bool  # whether nothing stands before it


def in_sql(text: str, engine: EngineName) -> Iterator[Comment]:
    """The comments of SQL, those in the bodies of functions too; none in a string."""
    starts = [0, *(found.end() for found in re.finditer("\n", text))]
    for begin, words in sorted(_comments(text, 0, LEXERS[engine])):
        line = bisect_right(starts, begin)
        before = text[starts[line - 1] : begin]
        yield Comment(line, len(before) + 1, words[2:].strip(), not before.strip())


def in_text(path: str, lines: list[str]) -> Iterator[Comment]:
    """The comments of another file, by the mark that its kind of file has; a mark in a text counts if it is alone."""
    mark = MARKS.get(PurePosixPath(path).suffix, "#")
    if not mark:
        return
    form = re.compile(rf"(?:^|(?<=\s)){re.escape(mark)}(?=\s*lint\b)")
    for number, line in enumerate(lines, 1):
        found = form.search(line)
        if found:
            yield Comment(number, found.start() + 1, line[found.end() :].strip(), not line[: found.start()].strip())
        elif line.lstrip().startswith(mark):
            yield Comment(
                number, len(line) - len(line.lstrip()) + 1, line.lstrip().removeprefix(mark).strip(), alone=True
            )


def _comments(text: str, offset: int, lexer: re.Pattern[str], depth: int = 0) -> Iterator[tuple[int, str]]:
    """Comments by their place. What is never closed reaches to the end, so that each character is read once a depth."""
    at, closes = 0, True
    while found := lexer.search(text, at):
        at = found.end()
        if found["comment"]:
            yield offset + found.start(), found["comment"].rstrip("\r")
        elif found["block"]:
            end = text.find("*/", at)
            at = len(text) if end < 0 else end + 2
        elif found["dollar"] and closes:
            end = text.find(found["dollar"], at)
            closes = end >= 0
            if closes:
                if depth < DEEPEST:
                    yield from _comments(text[at:end], offset + at, lexer, depth + 1)
                at = end + len(found["dollar"])
