"""A statement as goose sends it, and where each of its characters stands in the file."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from schemas.envsub import SPACE

__all__ = ["Line", "Origin", "Statement", "joined"]


class Line(NamedTuple):
    """A line of the file as goose keeps it: without its ending, expanded where ENVSUB is on.

    There may be hundreds of thousands of them: named tuples are made in a third of the time of dataclasses.
    """

    number: int
    text: str
    exact: bool = True  # False: a substitution has moved its characters


class Origin(NamedTuple):
    """Where a line of a statement comes from; ``column`` belongs to its first character, None once moved."""

    offset: int
    line: int
    column: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one call sends to the server; lines and columns are those of the file, from 1, in characters.

    Bytes that are no UTF-8 are single surrogates in ``text`` (``surrogateescape``).
    """

    text: str
    line: int
    end_line: int
    block: bool  # between StatementBegin and StatementEnd
    origins: tuple[Origin, ...]

    @property
    def substituted(self) -> bool:
        """Whether ENVSUB has changed its text."""
        return any(origin.column is None for origin in self.origins)

    def locate(self, position: int) -> tuple[int, int | None]:
        """File line and column of a character, counted from 1 as PostgreSQL does; None on a line that ENVSUB changed.

        A position outside the text, such as the one after its last character, means the nearest one inside or its end.
        """
        if not self.origins:
            return self.line, 1
        offset = min(max(position - 1, 0), len(self.text))
        origin = self.origins[bisect_right(self.origins, offset, key=lambda one: one.offset) - 1]
        return origin.line, None if origin.column is None else origin.column + offset - origin.offset


def joined(lines: Sequence[Line], *, at: int, block: bool = False) -> Statement:
    """Make a statement of the kept lines, white space trimmed at both ends; ``at`` is its line when nothing is left."""
    whole = "\n".join(line.text for line in lines)
    text = whole.strip(SPACE)
    first = len(whole) - len(whole.lstrip(SPACE))
    origins: list[Origin] = []
    offset = -first
    for line in lines:
        end = offset + len(line.text)
        if end > 0 and offset < len(text):
            column = 1 + max(-offset, 0) if line.exact else None
            origins.append(Origin(offset=max(offset, 0), line=line.number, column=column))
        offset = end + 1
    return Statement(
        text=text,
        line=origins[0].line if origins else at,
        end_line=origins[-1].line if origins else at,
        block=block,
        origins=tuple(origins),
    )
