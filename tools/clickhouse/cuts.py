"""What to leave out of a statement that was written for a cluster so that one server can run it.

Nothing is put in, and no end of a line is taken away: comments, layout and line numbers stay what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tools.clickhouse.clauses import Engine, engines, on_cluster, unread
from tools.clickhouse.tokens import Token

__all__ = ["Cut", "cuts", "without"]

PREFIX = len("Replicated")
WITHIN_A_LINE = re.compile(rb"[^\r\n]+")


@dataclass(frozen=True, slots=True, order=True)
class Cut:
    """Bytes of a text to leave out, within one line."""

    begin: int
    end: int


def cuts(text: bytes, tokens: Sequence[Token]) -> tuple[Cut, ...]:
    """Find what to leave out of one statement, from its tokens: ON CLUSTER, and what makes an engine replicated."""
    found: list[Cut] = []
    for first, last in on_cluster(text, tokens):
        rest = text[last.end :]
        found += _span(text, tokens, first.begin, len(text) - len(rest.lstrip(b" \t")))
    for engine in engines(text, tokens):
        if engine.replicated and not unread(engine):
            found += _engine(text, tokens, engine)
    return tuple(sorted(found))


def without(text: bytes, left_out: Iterable[Cut]) -> bytes:
    """The text without these bytes."""
    for cut in sorted(left_out, reverse=True):
        text = text[: cut.begin] + text[cut.end :]
    return text


def _engine(text: bytes, tokens: Sequence[Token], engine: Engine) -> Iterator[Cut]:
    begin = text.index(b"Replicated", engine.token.begin)
    yield Cut(begin, begin + PREFIX)
    if engine.coordinates:
        (path,), (replica,), *rest = engine.arguments
        yield from _span(text, tokens, path.begin, rest[0][0].begin if rest and rest[0] else replica.end)


def _span(text: bytes, tokens: Sequence[Token], begin: int, end: int) -> Iterator[Cut]:
    """Everything between two places but comments and the ends of lines."""
    for token in tokens:
        if token.kind != "Comment" and token.end > begin and token.begin < end:
            piece = WITHIN_A_LINE.finditer(text, max(token.begin, begin), min(token.end, end))
            yield from (Cut(part.start(), part.end()) for part in piece)
