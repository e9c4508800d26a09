"""Where a statement speaks of the cluster: its ON CLUSTER clauses and its engines, found among the lexer's tokens.

Only the part that defines an object is looked at: outside brackets, before the query of a view. There ``ON cluster``
may be the condition of a join.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tools.clickhouse.tokens import NAMES, STRINGS, Token, significant, word

__all__ = ["Engine", "engines", "head", "on_cluster", "unread"]

REPLICATED = re.compile(r"Replicated(\w*MergeTree)")
QUERIES = frozenset({"SELECT", "INSERT", "WITH", "EXPLAIN"})
GRANTS = frozenset({"GRANT", "REVOKE"})
DEPTH = {"OpeningRoundBracket": 1, "ClosingRoundBracket": -1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The engine of a table, a database or a view's inner table; each argument is the list of its tokens."""

    name: str
    token: Token
    arguments: tuple[tuple[Token, ...], ...]

    @property
    def replicated(self) -> bool:
        """Whether it is a table engine that keeps its parts in step through ZooKeeper."""
        return REPLICATED.fullmatch(self.name) is not None

    @property
    def coordinates(self) -> bool:
        """Whether its first two arguments are the ZooKeeper path and the replica's name, as plain strings."""
        return len(self.arguments) > 1 and all(len(one) == 1 and one[0].kind in STRINGS for one in self.arguments[:2])


def head(text: bytes, tokens: Sequence[Token]) -> list[Token]:
    """The tokens outside brackets up to the query of a view; none of a statement that defines nothing."""
    found: list[Token] = []
    depth = 0
    grants = False
    for token in significant(tokens):
        depth += DEPTH.get(token.kind, 0)
        if depth or token.kind in DEPTH:
            continue
        name = word(text, token)
        if not found:
            grants = name in GRANTS
            if name in QUERIES:
                return []
        if (name == "SELECT" and not grants) or (name == "FROM" and word(text, found[-1]) == "AS"):
            return found
        found.append(token)
    return found


def on_cluster(text: bytes, tokens: Sequence[Token]) -> Iterator[tuple[Token, Token]]:
    """The first and the last token of each ON CLUSTER clause."""
    found = head(text, tokens)
    for at, name in enumerate(found[2:]):
        if word(text, found[at]) != "ON" or word(text, found[at + 1]) != "CLUSTER":
            continue
        if name.kind in NAMES and not _privilege(text, found, name):
            yield found[at], name
        elif name.kind == "DollarSign":  # ${NAME}, which ENVSUB replaces
            closing = next((one for one in found[at + 3 :] if one.kind == "ClosingCurlyBrace"), None)
            if closing:
                yield found[at], closing


def _privilege(text: bytes, found: Sequence[Token], name: Token) -> bool:
    """Whether this is ``GRANT … ON cluster TO …``, about a table of that name."""
    return word(text, found[0]) in GRANTS and word(text, name) in {"TO", "FROM"}


def engines(text: bytes, tokens: Sequence[Token]) -> Iterator[Engine]:
    """Every engine that the statement names."""
    named = {token.begin for token in head(text, tokens) if word(text, token) == "ENGINE"}
    found = significant(tokens)
    for at, token in enumerate(found):
        if token.begin in named:
            rest = found[at + 1 :]
            if rest and rest[0].kind == "Equals":
                rest = rest[1:]
            if rest and rest[0].kind in {"BareWord", "QuotedIdentifier"}:
                name = text[rest[0].begin : rest[0].end].decode().strip('`"')
                yield Engine(name=name, token=rest[0], arguments=_arguments(rest[1:]))


def _arguments(found: Sequence[Token]) -> tuple[tuple[Token, ...], ...]:
    if not found or found[0].kind != "OpeningRoundBracket":
        return ()
    arguments: list[list[Token]] = [[]]
    depth = 0
    for token in found:
        depth += DEPTH.get(token.kind, 0)
        if not depth:
            break
        if token.kind == "Comma" and depth == 1:
            arguments.append([])
        elif token is not found[0]:
            arguments[-1].append(token)
    return tuple(map(tuple, arguments)) if arguments[0] else ()


def unread(engine: Engine) -> bool:
    """Whether a replicated engine's arguments leave open which of them are the path and the replica.

    ClickHouse takes the first two when they are strings, computed ones too. Before the engine's own parameters, which
    are columns, both may be left out; so may they before the one string of Graphite.
    """
    if not engine.replicated or not engine.arguments or engine.coordinates:
        return False
    first = engine.arguments[0]
    if "Graphite" in engine.name and len(engine.arguments) == 1 and first[0].kind in STRINGS:
        return False
    called = len(first) > 1 and first[0].kind == "BareWord" and first[1].kind == "OpeningRoundBracket"
    return called or any(token.kind in STRINGS | {"Number"} for token in first)
