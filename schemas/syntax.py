"""What an engine's own parser makes of a text: statements as trees, or the mistake that stops it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = ["Mistake", "Tree"]


class Tree(NamedTuple):
    """One statement: its kind (``CreateStmt``, ``CreateQuery``), the fields of its root, and which bytes it takes.

    ``end`` is the byte of its semicolon, or the end of the text.
    """

    kind: str
    fields: dict[str, Any]
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Mistake:
    """Why a text does not parse, in the engine's words, and at which character, counted from 1."""

    message: str
    position: int
