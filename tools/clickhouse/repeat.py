"""Which statements can run again after they have been done: ClickHouse has no transaction that would undo a half."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.clickhouse.tokens import Ask, Token, significant, tokenize, word

__all__ = ["repeatable"]

DEPTH = {"OpeningRoundBracket": 1, "ClosingRoundBracket": -1}
STATEMENT = re.compile(
    r"CREATE( \w+){1,3} IF NOT EXISTS\b|CREATE OR REPLACE\b|(DROP|DETACH|TRUNCATE)( \w+){1,3} IF EXISTS\b"
    r"|TRUNCATE\b|OPTIMIZE\b|SET\b|SELECT\b|SYSTEM\b|DELETE\b"
)
# it makes something and fills it: half of the rows may be there, and IF NOT EXISTS would leave it at that
FILLS = re.compile(
    r"CREATE( TEMPORARY)? TABLE IF NOT EXISTS\b.*\bAS (SELECT|WITH|FROM|_ (SELECT|WITH))\b|.* POPULATE\b"
)
SEVERAL = " PARALLEL WITH "
ALTER = re.compile(r"ALTER( TEMPORARY)? TABLE (IF EXISTS )?\S+( _ \S+)?( ON CLUSTER \S+)? ")
COMMAND = re.compile(
    r"ADD( \w+)? IF NOT EXISTS\b|(DROP|RENAME|CLEAR)( \w+)? IF EXISTS\b|(MODIFY|ALTER)\b(?!.* (REMOVE|RESET)\b)"
    r"|COMMENT\b|MATERIALIZE\b|DELETE\b|\w+ _ \S+$"  # the last: one more setting after a comma
)


def repeatable(statements: Sequence[str], ask: Ask) -> tuple[bool, ...]:
    """Whether each statement, done once, changes nothing when it is done again; all are asked about in one request.

    False for one that may have been done by half and would not do the rest.
    """
    found = tokenize(statements, ask)
    return tuple(_repeatable(text.encode(), tokens) for text, tokens in zip(statements, found, strict=True))


def _repeatable(text: bytes, tokens: Sequence[Token]) -> bool:
    words, commands = _words(text, tokens)
    if altered := ALTER.match(words):
        rest = words[altered.end() :]
        return rest.startswith("MODIFY QUERY ") or all(map(COMMAND.match, [rest, *commands[1:]]))
    return SEVERAL not in words and not FILLS.match(words) and STATEMENT.match(words) is not None


def _words(text: bytes, tokens: Sequence[Token]) -> tuple[str, list[str]]:
    """The words outside brackets, and the same cut at the commas there; all that is no bare word is ``_``."""
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
