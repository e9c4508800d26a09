"""Which statements can run again after they have been done: ClickHouse has no transaction that would undo a half."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.clickhouse.tokens import Ask, Token, significant, tokenize, word

__all__ = ["repeatable"]

DEPTH = {"OpeningRoundBracket": 1, "ClosingRoundBracket": -1}
STATEMENT = re.compile(
    r"CREATE( \S+)* IF NOT EXISTS\b|CREATE OR REPLACE\b|(DROP|DETACH|TRUNCATE|UNDROP)( \S+)* IF EXISTS\b"
    r"|TRUNCATE\b|OPTIMIZE\b|SET\b|SELECT\b|SYSTEM\b"
)
COMMAND = re.compile(
    r"ADD( \S+)? IF NOT EXISTS\b|(DROP|RENAME|CLEAR)( \S+)? IF EXISTS\b|MODIFY\b|ALTER COLUMN\b|COMMENT\b"
    r"|MATERIALIZE\b|REMOVE\b|RESET\b|DELETE\b"
)


def repeatable(statements: Sequence[str], ask: Ask) -> tuple[bool, ...]:
    """Whether each statement, done once, changes nothing when it is done again; all are asked about in one request."""
    found = tokenize(statements, ask)
    return tuple(_repeatable(text.encode(), tokens) for text, tokens in zip(statements, found, strict=True))


def _repeatable(text: bytes, tokens: Sequence[Token]) -> bool:
    words, commands = _words(text, tokens)
    if words.startswith("ALTER TABLE "):
        return all(COMMAND.search(command) for command in commands)
    return STATEMENT.match(words) is not None


def _words(text: bytes, tokens: Sequence[Token]) -> tuple[str, list[str]]:
    """The words outside brackets, and the same cut at the commas there; a name that is quoted is ``_``."""
    parts: list[list[str]] = [[]]
    depth = 0
    for token in significant(tokens):
        depth += DEPTH.get(token.kind, 0)
        if depth or token.kind in DEPTH:
            continue
        if token.kind == "Comma":
            parts.append([])
        else:
            parts[-1].append(word(text, token) or "_")
    commands = [" ".join(part) for part in parts]
    return ", ".join(commands), commands
