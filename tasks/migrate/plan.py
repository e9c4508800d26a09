"""What migrating would do to one database, and what forbids it: the files against what the database holds.

Values are named tuples, which start faster than dataclasses: see schemas/catalog.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from tasks.migrate.refusals import Refusal, begun_otherwise, moved, refusal
from tasks.migrate.versions import HELD, NOTHING, UNFIT, Applied, File, Merged, Version, compare

__all__ = ["Plan", "plan"]


class Plan(NamedTuple):
    """What will happen, unless something refuses: what goose takes down, newest first, and then runs, in order."""

    pending: tuple[File, ...]
    refusals: tuple[Refusal, ...]
    versions: tuple[Version, ...]
    going: tuple[int, ...] = ()


def plan(
    files: Sequence[File],
    applied: Sequence[Applied],
    *,
    label: str,
    folder: str,
    table: str,
    other_tables: Mapping[str, int],
    begun: Mapping[int, str] = NOTHING,
    undoing: Collection[int] = (),
    merged: Merged | None = None,
    baseline: str = "",
) -> Plan:
    """Decide what goose will take down and run on the database ``label``.

    A version that is not merged is still its author's: edited, it is taken down and goes up again, with everything
    above it. Without ``merged`` every version counts as merged.

    ``folder`` holds the stream's files, ``table`` is goose's version table, and ``other_tables`` counts the rows of
    further goose tables in the same database: a history under another name means that the table's name was changed
    (goose would start from nothing). ``baseline`` is named where the history
    stands on another beginning than it should.
    """
    versions = compare(files, applied, begun, undoing)
    refusals = [found for version in versions if (found := refusal(version, versions, label, folder, merged))]
    refusals += moved(applied, label, table, other_tables)
    if baseline:
        refusals.append(begun_otherwise(label, baseline))
    going = () if refusals else _going(versions)
    wanted = {version.version for version in versions if version.state in {"pending", "begun"}} | set(going)
    if going:
        wanted |= {version.version for version in versions if version.state == "out of order"}
    return Plan(
        pending=tuple(sorted((file for file in files if file.version in wanted), key=lambda file: file.version)),
        refusals=tuple(refusals),
        versions=versions,
        going=going,
    )


def _going(versions: Iterable[Version]) -> tuple[int, ...]:
    """The held versions that must go down: from the lowest that is to be done again, newest first."""
    lowest = min((version.version for version in versions if version.state in UNFIT), default=None)
    if lowest is None:
        return ()
    held = (version.version for version in versions if version.state in HELD and version.version >= lowest)
    return tuple(sorted(held, reverse=True))
