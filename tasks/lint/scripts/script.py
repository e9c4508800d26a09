"""A text that a shell runs, as it stands in a file of some other form, and the commands in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Command", "Script", "Unreadable", "Word", "align"]

FAR = 2_000  # characters between one of a value and the next: line ends, indents, escapes


class Unreadable(Exception):
    """What a file runs cannot be told: why, and where reading ended."""

    def __init__(self, why: str, line: int = 1, column: int = 1) -> None:
        super().__init__(why)
        self.why, self.line, self.column = why, line, column


class Word(NamedTuple):
    """One word of a command, without its quotes; an expansion stands as it is written."""

    text: str
    begin: int  # characters of the file, from 0
    end: int


class Command(NamedTuple):
    """A program with its arguments; ``kept``: a text that a variable holds, which nobody may ever run."""

    words: tuple[Word, ...]
    kept: bool = False


class Script(NamedTuple):
    """The text, and where each of its characters stands in the file."""

    text: str
    at: Sequence[int]

    def cut(self, begin: int, end: int) -> Script:
        """A part of it."""
        return Script(self.text[begin:end], self.at[begin:end])

    def word(self, text: str, begin: int, end: int) -> Word:
        """A word that stands between two of its characters."""
        return Word(text, self.at[begin], self.at[end - 1] + 1)


def align(value: str, raw: str, begin: int) -> Script:
    """A value that a parser has read of a file from ``begin`` on: unescaped, unfolded, without indents.

    Each of its characters that is no blank stands in the file in the same order; that is all that forms share.
    """
    at: list[int] = []
    place = begin
    for one in value:
        found = -1 if one.isspace() else raw.find(one, place, place + FAR)
        at.append(place if found < 0 else found)
        place = place if found < 0 else found + 1
    return Script(value, at)
