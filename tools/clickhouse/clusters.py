"""Which clusters migrations speak of: a server must know each of them before the statements can run on it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from schemas.goose_file import parse

__all__ = ["clusters", "named"]

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
    found = (name for data in files for name in named(data, environment))
    return frozenset(name for name in found if "{" not in name) | {"default"}


def named(data: bytes, environment: Mapping[str, str] | None = None) -> frozenset[str]:
    """Every such name of one file, with the macros in it; raises GooseSyntax."""
    parsed = parse(data, environment)
    texts = (statement.text for statement in (*parsed.up, *parsed.down))
    found = {_plain(piece["name"]) for text in texts for piece in PIECE.finditer(text) if piece["name"]}
    return frozenset(found - {""})


def _plain(name: str) -> str:
    """A name without its quotes."""
    return ESCAPED.sub(r"\1\2", name[1:-1]) if name[0] in "'\"`" else name
