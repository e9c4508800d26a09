"""What ClickHouse's own lexer makes of a text, and the door through which the engine is asked about texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from tools.clickhouse.connection import array

__all__ = ["NAMES", "STRINGS", "Ask", "Token", "significant", "tokenize", "tokens", "word"]

Ask = Callable[[str], Iterable[Sequence[Any]]]
"""Runs one SELECT and gives its rows, values as ClickHouse's JSON formats have them, such as `Address.query`.

Raises ServerError with the server's message. A query holds all files: ``max_query_size`` must allow for that.
"""

STRINGS = frozenset({"StringLiteral", "HereDoc"})
NAMES = STRINGS | {"BareWord", "QuotedIdentifier"}
BLANK = frozenset({"Whitespace", "Comment"})


class Token(NamedTuple):
    """A piece of a text, in bytes; ``kind`` is ClickHouse's name of it.

    There may be hundreds of thousands of them: named tuples are made in a third of the time of dataclasses.
    """

    begin: int
    end: int
    kind: str


def tokenize(texts: Sequence[str], ask: Ask) -> list[tuple[Token, ...]]:
    """Cut texts into tokens, all in one request."""
    if not texts:
        return []
    rows = ask(f"SELECT arrayMap(t -> (t.1, t.2, toString(t.3)), tokenizeQuery(arrayJoin({array(texts)}))) AS tokens")
    return [tokens(row[0]) for row in rows]


def tokens(value: Iterable[Sequence[Any]]) -> tuple[Token, ...]:
    """Make tokens of an answer; numbers of 64 bits may come as strings."""
    return tuple(Token(int(begin), int(end), kind) for begin, end, kind in value)


def significant(found: Iterable[Token]) -> list[Token]:
    """Leave out what the parser does not see: white space and comments."""
    return [token for token in found if token.kind not in BLANK]


def word(text: bytes, token: Token) -> str:
    """A keyword in capitals; empty for anything that is no bare word."""
    return text[token.begin : token.end].decode().upper() if token.kind == "BareWord" else ""
