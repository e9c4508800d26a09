"""Which clusters migrations speak of: a server must know each of them before the statements can run on it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from schemas.goose_file import parse

__all__ = ["clusters"]

COMMENT = r"--[^\n]*|\#[ !][^\n]*|/\*.*?\*/"
QUOTED = r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|`(?:[^`\\]|\\.|``)*`"
HEREDOC = r"\$(?P<tag>\w*)\$.*?\$(?P=tag)\$"
GAP = rf"(?:\s|{COMMENT})"
NAMED = (
    rf"\b(?:ON{GAP}+CLUSTER{GAP}*|(?:Distributed|cluster|clusterAllReplicas){GAP}*\({GAP}*)(?P<name>{QUOTED}|[a-z_]\w*)"
)
PIECE = re.compile(f"{COMMENT}|{QUOTED}|{HEREDOC}|{NAMED}", re.DOTALL | re.IGNORECASE | re.ASCII)
ESCAPED = re.compile(r"\\(.)|([`'\"])\2", re.DOTALL)


def clusters(files: Iterable[bytes], environment: Mapping[str, str] | None = None) -> frozenset[str]:
    """Every name after ON CLUSTER, in Distributed and in the cluster functions, and ``default``; raises GooseSyntax.

    Read without a server, because a server must know them to start: a word too many, such as a column that is named
    cluster, is harmless. Names with a macro in braces are left out, since its value is the server's.
    """
    found = {"default"}
    for data in files:
        parsed = parse(data, environment)
        for statement in (*parsed.up, *parsed.down):
            found.update(_plain(piece["name"]) for piece in PIECE.finditer(statement.text) if piece["name"])
    return frozenset(name for name in found if name and "{" not in name)


def _plain(name: str) -> str:
    """A name without its quotes."""
    return ESCAPED.sub(r"\1\2", name[1:-1]) if name[0] in "'\"`" else name
