"""What PostgreSQL's own parser makes of a text: its statements as trees, or the mistake that stops it.

The parser is that of PostgreSQL 17 (libpg_query 17 through pgparse 1.0.3), which reads what 16 reads.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple

__all__ = ["Mistake", "Tree", "parse"]

LONGEST = 1_000_000  # bytes: reading the tree of a longer one takes seconds
TOO_DEEP = ("memory exhausted", "stack depth limit exceeded")  # limits of the parser, not mistakes of the text


class Tree(NamedTuple):
    """One statement: its kind (``CreateStmt``), the fields of its root, and the bytes of the text that it takes."""

    kind: str
    fields: dict[str, Any]
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Mistake:
    """Why a text does not parse, in PostgreSQL's words, and at which character, counted from 1."""

    message: str
    position: int


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
        trees.append(
            Tree(kind=kind, fields=fields, begin=begin, end=begin + (one.get("stmt_len") or len(data) - begin))
        )
    return tuple(trees)


@cache
def _parser() -> ModuleType | None:
    try:
        return importlib.import_module("pgparse")
    except ImportError:  # an Intel Mac: see tools/locks/base.in
        return None
