"""Which clusters migrations speak of: each must be known to a server before the statements can run on it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from schemas.goose_file import parse

__all__ = ["clusters"]

NAME = r"(?:'((?:[^'\\]|\\.|'')*)'|\"((?:[^\"\\]|\\.|\"\")*)\"|`((?:[^`\\]|\\.|``)*)`|([A-Za-z_]\w*))"
GAP = r"(?:\s|/\*.*?\*/|--[^\n]*\n)"
NAMED = re.compile(
    rf"\b(?:ON{GAP}+CLUSTER{GAP}*|(?:Distributed|cluster|clusterAllReplicas){GAP}*\({GAP}*){NAME}",
    re.DOTALL | re.IGNORECASE,
)
ESCAPED = re.compile(r"\\(.)|([`'\"])\2", re.DOTALL)


def clusters(files: Iterable[bytes], environment: Mapping[str, str] | None = None) -> frozenset[str]:
    """Every name after ON CLUSTER, in Distributed and in the cluster functions, and ``default``.

    A name that is only mentioned in a comment counts too: a cluster too many is harmless. Names with a macro in braces
    are left out, since the macro's value is the server's. Raises GooseSyntax.
    """
    found = {"default"}
    for data in files:
        parsed = parse(data, environment)
        for statement in (*parsed.up, *parsed.down):
            for quoted in NAMED.findall(statement.text):
                found.add(ESCAPED.sub(r"\1\2", "".join(quoted)))
    return frozenset(name for name in found if name and "{" not in name)
