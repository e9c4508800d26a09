"""A log of goose for what is kept: statements without literals, which may be names of people, URLs without logins."""

from __future__ import annotations

import json
import re

from schemas.catalog import EngineName
from schemas.goose_log import unquote

__all__ = ["masked", "without_logins"]

QUERY = re.compile(r'(?<=failed to execute SQL query )"(?:[^"\\]|\\.)*"', re.DOTALL)
LITERAL = {  # also one that is cut off; on ClickHouse a backslash always escapes, on PostgreSQL after E only
    "postgres": re.compile(
        r"[eE]'(?:[^'\\]|''|\\.)*'?|'(?:[^']|'')*'?|(\$(?:[A-Za-z_]\w*)?\$).*?(?:\1|\Z)|(?<![\w.\"$])\d+(?:\.\d+)?(?![\w.])",
        re.DOTALL,
    ),
    "clickhouse": re.compile(r"'(?:[^'\\]|''|\\.)*'?|(?<![\w.`\"])\d+(?:\.\d+)?(?![\w.])", re.DOTALL),
}
QUOTED = re.compile(r"'[^'\n]*'")  # in the words of a server
VALUE = re.compile(r'(?<=: )"[^"\n]*"(?= \(SQLSTATE )')  # invalid input syntax for type integer: "x"
LOGIN = re.compile(r'(?<=://)(?:[^"`\\\n]|\\.)*@')  # Go's net/url quotes a URL that it cannot read, password and all
PIECE = re.compile(r'(?<=invalid port ":)[^"\n]*|(?<=invalid URL escape ")[^"\n]*')  # what it takes for a port
MASK = "'…'"


def masked(text: str, engine: EngineName) -> str:
    """The log of goose, with every literal of the statements that it echoes replaced by ``'…'``; no logins."""
    pieces, done = [], 0
    for found in QUERY.finditer(text):
        pieces += [_words(text[done : found.start()]), _statement(found[0], engine)]
        done = found.end()
    return "".join([*pieces, _words(text[done:])])


def without_logins(text: str) -> str:
    """The log of goose, without the user and the password of a URL that it could not read."""
    return PIECE.sub("…", LOGIN.sub("…@", text))


def _statement(quoted: str, engine: EngineName) -> str:
    return json.dumps(LITERAL[engine].sub(MASK, unquote(quoted)), ensure_ascii=False)


def _words(text: str) -> str:
    return QUOTED.sub(MASK, VALUE.sub(MASK, without_logins(text)))
