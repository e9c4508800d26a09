"""How the schema of a database elsewhere differs from what its applied files build, decided from what was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas.catalog import Database
from schemas.errors import GanderError
from schemas.structure import Change, Structure, difference
from schemas.target import LOCAL

__all__ = ["Comparison", "compare"]

NOT_COMPARED = {"grant"}  # roles are an environment's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What was found of one database; ``before`` of a change is what the files build, ``after`` what is there."""

    database: Database
    environment: str
    files: int = 0  # applied there and built here
    replicas: Mapping[str, Sequence[Change]]  # by the name of the server; empty where there is one
    pending: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    doubtful: bool = False  # whether a note is a finding of its own
    error: GanderError | None = None  # why nothing could be compared

    @property
    def called(self) -> str:
        """``auth-service/auth@dev``."""
        return self.database.label + ("" if self.environment == LOCAL else f"@{self.environment}")

    @property
    def count(self) -> int:
        """How many objects differ, each counted once."""
        return len({change.object for changes in self.replicas.values() for change in changes})

    @property
    def same(self) -> bool:
        """Whether nothing was found and nothing is left open."""
        return not self.count and not self.doubtful and self.error is None


def compare(built: Structure, there: Mapping[str, Structure]) -> dict[str, tuple[Change, ...]]:
    """The objects that differ on each server.

    Left out: grants, and SQL functions of ClickHouse that no file made, as they belong to the server and not to the
    database.
    """
    ours = _compared(built, built)
    return {name: difference(ours, _compared(one, built)) for name, one in there.items()}


def _compared(structure: Structure, built: Structure) -> Structure:
    return {
        one: text
        for one, text in structure.items()
        if one.kind not in NOT_COMPARED and (one.kind != "function" or "(" in one.name or one in built)
    }
