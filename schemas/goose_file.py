"""What goose 3.27.3 makes of a migration file: the statements of each direction, or why it refuses the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from schemas.goose_annotation import Annotation, Direction, GooseSyntax
from schemas.goose_reader import Section, lines_of, read
from schemas.statement import Line, Statement

__all__ = ["GooseFile", "GooseSyntax", "Section", "joined", "parse", "parse_direction", "sections"]

MODEST = 500_000  # bytes of a file whose lines are kept for the second direction; one that goose cannot hold is longer


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
    found = sections(data, environment)
    up, down = found["up"], found["down"]
    if isinstance(up, GooseSyntax) or isinstance(down, GooseSyntax):
        refusals = {direction: one for direction, one in found.items() if isinstance(one, GooseSyntax)}
        first = next(iter(refusals.values()))
        first.directions = tuple(refusals)
        raise first
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
    return _read(lines_of(data), direction, environment or {})


def sections(data: bytes, environment: Mapping[str, str] | None = None) -> dict[Direction, Section | GooseSyntax]:
    """What goose reads in each direction, or why it refuses the file in that one."""
    kept = tuple(lines_of(data)) if len(data) < MODEST else None
    directions: tuple[Direction, ...] = ("up", "down")
    found: dict[Direction, Section | GooseSyntax] = {}
    for direction in directions:
        try:
            found[direction] = _read(lines_of(data) if kept is None else kept, direction, environment or {})
        except GooseSyntax as refusal:
            found[direction] = refusal
    return found


def _read(lines: Iterable[Line], direction: Direction, environment: Mapping[str, str]) -> Section:
    try:
        return read(lines, direction, environment)
    except GooseSyntax as refusal:
        refusal.directions = (direction,)
        raise
