"""What goose 3.27.3 makes of a migration file: the statements of each direction, or why it refuses the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.goose_annotation import Annotation, Direction, GooseSyntax
from schemas.goose_reader import Section, read
from schemas.statement import Statement

__all__ = ["GooseFile", "GooseSyntax", "Section", "joined", "parse", "parse_direction"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GooseFile:
    """A migration file that goose takes, in both directions."""

    up: tuple[Statement, ...]
    down: tuple[Statement, ...]
    transaction: bool  # False: NO TRANSACTION stands somewhere, and is meant for both directions
    has_down: bool  # whether there is a Down annotation
    envsub: bool  # whether substitution is switched on anywhere
    annotations: tuple[Annotation, ...]
    lost: tuple[int, ...]  # lines of SQL that goose leaves out: see `Section`


def parse(data: bytes, environment: Mapping[str, str] | None = None) -> GooseFile:
    """Read a file in both directions; ``environment`` is what ENVSUB sees, empty unless given.

    Raises GooseSyntax where goose refuses the file in either direction; ``directions`` says in which.
    """
    sections: list[Section] = []
    refusals: dict[Direction, GooseSyntax] = {}
    directions: tuple[Direction, ...] = ("up", "down")
    for direction in directions:
        try:
            sections.append(parse_direction(data, direction, environment))
        except GooseSyntax as refusal:
            refusals[direction] = refusal
    if refusals:
        first = next(iter(refusals.values()))
        first.directions = tuple(refusals)
        raise first
    up, down = sections
    return joined(up, down)


def joined(up: Section, down: Section) -> GooseFile:
    """The file whose two directions are these."""
    names = {annotation.name for annotation in up.annotations}
    return GooseFile(
        up=up.statements,
        down=down.statements,
        transaction=up.transaction,
        has_down="Down" in names,
        envsub="ENVSUB ON" in names,
        annotations=up.annotations,
        lost=tuple(sorted({*up.lost, *down.lost})),
    )


def parse_direction(data: bytes, direction: Direction, environment: Mapping[str, str] | None = None) -> Section:
    """Read a file as goose does before it runs it in one direction; GooseSyntax where goose refuses it."""
    try:
        return read(data, direction, environment or {})
    except GooseSyntax as refusal:
        refusal.directions = (direction,)
        raise
