"""PostgreSQL's own parser, that of PostgreSQL 17 (libpg_query 17 through pgparse 1.0.3), which reads what 16 reads."""

from __future__ import annotations

import importlib
from functools import cache
from types import ModuleType

from schemas.syntax import Mistake, Tree

__all__ = ["parse"]

LONGEST = 1_000_000  # bytes: reading the tree of a longer one takes seconds
TOO_DEEP = ("memory exhausted", "stack depth limit exceeded")  # limits of the parser, not mistakes of the text
SPACE = b" \t\n\r\f\v"


def parse(text: str) -> tuple[Tree, ...] | Mistake | None:
    """The statements of a text; the first mistake in it; None where the parser cannot tell.

    That is a text which is no UTF-8 or holds a NUL, a very long or very deep one, and any where there is no parser.
    """
    parser = _parser()
    if parser is None or "\0" in text:
        return None
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return None
    if len(data) > LONGEST:
        return None
    try:
        found = parser.parse(text)
    except parser.PGQueryError as error:
        return None if error.message.startswith(TOO_DEEP) else Mistake(error.message, error.position)
    except RecursionError:  # the tree comes as JSON
        return None
    trees = []
    for one in found:
        ((kind, fields),) = one["stmt"].items()
        begin = one.get("stmt_location", 0)
        end = begin + (one.get("stmt_len") or len(data) - begin)
        trees.append(Tree(kind=kind, fields=fields, begin=_skipped(data, begin), end=end))
    return tuple(trees)


def _skipped(data: bytes, at: int) -> int:
    """The first byte of a statement, after the white space and comments that libpg_query counts to it."""
    while at < len(data):
        if data[at : at + 1] in SPACE:
            at += 1
        elif data.startswith(b"--", at):
            end = data.find(b"\n", at)
            at = len(data) if end < 0 else end
        elif data.startswith(b"/*", at):
            at = _after_comment(data, at)
        else:
            break
    return at


def _after_comment(data: bytes, at: int) -> int:
    """Where a comment ends; PostgreSQL's comments nest."""
    depth = 0
    while at < len(data):
        pair = data[at : at + 2]
        depth += {b"/*": 1, b"*/": -1}.get(pair, 0)
        at += 2 if pair in {b"/*", b"*/"} else 1
        if not depth:
            break
    return at


@cache
def _parser() -> ModuleType | None:
    try:
        return importlib.import_module("pgparse")
    except ImportError:  # an Intel Mac: see tools/locks/base.in
        return None
