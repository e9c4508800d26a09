"""Which statements would take a database or one of its tables away: told by their words, as none can be tried."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from tools.clickhouse.clauses import head
from tools.clickhouse.tokens import Ask, Token, tokenize, word

__all__ = ["doomed"]

TAKES = frozenset({"DROP", "DETACH", "TRUNCATE", "RENAME", "EXCHANGE", "DELETE"})
WHOLE = frozenset({"DATABASE", "TABLES"})  # TRUNCATE ALL TABLES FROM, but also EXCHANGE TABLES


def doomed(statements: Sequence[str], database: str, tables: Collection[str], ask: Ask) -> set[str]:
    """Those of the database's tables that one of the statements would drop, empty, rename or take from."""
    gone: set[str] = set()
    for text, tokens in zip(statements, tokenize(statements, ask), strict=True):
        gone |= _of(text.encode(), head(text.encode(), tokens), database, tables)
    return gone


def _of(text: bytes, found: Sequence[Token], database: str, tables: Collection[str]) -> set[str]:
    words = [word(text, token) for token in found]
    if not words or words[0] not in TAKES:
        return set()
    names = [_name(text, token) for token in found]
    if "EXCHANGE" not in words and WHOLE & set(words[1:3]) and database in names[2:]:
        return set(tables)
    named = set()
    for at, name in enumerate(names):
        qualifier = names[at - 2] if at > 1 and found[at - 1].kind == "Dot" else database
        if at and name in tables and qualifier == database:
            named.add(name)
    return named


def _name(text: bytes, token: Token) -> str:
    """What a token names, without quotes."""
    plain = text[token.begin : token.end].decode()
    if token.kind != "QuotedIdentifier":
        return plain
    return re.sub(r"\\(.)|([`\"])\2", r"\1\2", plain[1:-1])
