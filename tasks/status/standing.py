"""How one database stands against its stream; elsewhere than here, decided from what was seen on its servers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from schemas.catalog import Database, Reference
from schemas.errors import ServerError
from schemas.stream import Problem
from schemas.target import LOCAL
from tasks.migrate.versions import Applied, File, Version, compare
from tools.engine import Row
from tools.remote import Replica, Sight

__all__ = ["Judged", "Standing", "judge", "moved"]

FEW = 5  # versions that a sentence names


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one database of one environment stands against its stream."""

    entry: Database | Reference
    database: Database  # the entry itself, or the one that it refers to
    environment: str
    exists: bool | None = None  # None: it could not be looked at
    versions: tuple[Version, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    doubtful: bool = False  # whether a note speaks against being at head
    error: ServerError | None = None  # why it could not be looked at

    @property
    def called(self) -> str:
        """``auth-service/auth``, ``auth-service/auth@dev``."""
        return self.entry.label + ("" if self.environment == LOCAL else f"@{self.environment}")

    @property
    def at_head(self) -> bool:
        """Every file is applied, here with its present text, and nothing else is."""
        return self.exists is True and not self.problems and not self.behind and not self.doubtful

    @property
    def behind(self) -> tuple[Version, ...]:
        """The versions that are anything but applied."""
        return tuple(version for version in self.versions if version.state != "applied")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The versions, what speaks against being at head, and what else there is to say."""

    versions: tuple[Version, ...]
    against: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """Everything that there is to say."""
        return (*self.against, *self.remarks)

    @property
    def doubtful(self) -> bool:
        """Whether something speaks against being at head."""
        return bool(self.against)


def judge(files: Sequence[File], sight: Sight, table: str, streams: Collection[str] = ()) -> Judged:
    """Set the files against the version table ``table`` of a database elsewhere, by version alone.

    ``streams`` are the version tables of all streams that build that database. A version that any server holds is
    applied; where servers hold different ones, that is said. goose's own table is not replicated: a server without a
    history beside one that has it is said, too, and is no fault by itself.
    """
    histories = {replica.name: replica.tables.get(table, ()) for replica in sight.replicas}
    kept = {name: rows for name, rows in histories.items() if rows}
    held: dict[int, Row] = {}
    for rows in kept.values():
        held = {row.version: row for row in rows} | held
    applied = [
        Applied(version=version, at=row.at.isoformat(timespec="seconds") if row.at else "")
        for version, row in sorted(held.items())
    ]
    against = [*_split(kept), *(f"{name} could not be looked at" for name in sight.silent)]
    if not kept:
        against += _moved(sight.replicas, table, streams)
    remarks = list(sight.remarks)
    if kept and len(kept) < len(histories):
        without = ", ".join(name for name in histories if name not in kept)
        remarks.append(
            f"{', '.join(kept)} holds the history alone, {without} none: reached through that one, goose would run"
            " every file again (its table is not replicated)"
        )
    return Judged(versions=compare(files, applied), against=tuple(against), remarks=tuple(remarks))


def moved(sight: Sight, table: str, streams: Collection[str] = ()) -> str:
    """That the version table is missing or empty beside another history, in words; empty where that is not so."""
    if any(replica.tables.get(table) for replica in sight.replicas):
        return ""
    return next(_moved(sight.replicas, table, streams), "")


def _split(kept: Mapping[str, Sequence[Row]]) -> Iterator[str]:
    """For each server the versions that others hold and it does not."""
    everything = {row.version for rows in kept.values() for row in rows}
    for name, rows in kept.items():
        lacking = sorted(everything - {row.version for row in rows})
        if lacking:
            more = f" and {len(lacking) - FEW} more" if lacking[FEW:] else ""
            yield f"{name} lacks {', '.join(map(str, lacking[:FEW]))}{more}, which another server holds as applied"


def _moved(replicas: Sequence[Replica], table: str, streams: Collection[str]) -> Iterator[str]:
    """A history under another name beside a missing or empty table."""
    others: dict[str, int] = {}
    for replica in replicas:
        for name, rows in replica.tables.items():
            if rows and name not in streams:
                others[name] = max(others.get(name, 0), len(rows))
    if others:
        there = any(table in replica.tables for replica in replicas)
        listed = ", ".join(
            f"{name} ({count} {'version' if count == 1 else 'versions'})" for name, count in sorted(others.items())
        )
        state = "empty" if there else "missing"
        yield f"{table} is {state}, while the database holds {listed}: see `table:` in services.yaml"
