"""The versions of a stream: the files set against what a database holds.

Values are named tuples, which start faster than dataclasses: see schemas/catalog.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple

__all__ = ["HELD", "NOTHING", "UNFIT", "Applied", "File", "Merged", "State", "Version", "compare", "unfit"]

NOTHING: Mapping[int, str] = MappingProxyType({})
HELD = {"applied", "changed", "missing", "undoing"}  # states of a version that the database holds
UNFIT = {"changed", "missing", "undoing", "out of order"}

State = Literal["applied", "pending", "begun", "changed", "missing", "undoing", "out of order"]


class File(NamedTuple):
    """A migration file as it stands on disk."""

    version: int
    name: str
    path: str  # relative to the monorepo's root
    sha256: str


class Applied(NamedTuple):
    """A version that the database holds; name and hash are empty where we have never seen its file."""

    version: int
    at: str = ""  # ISO 8601
    name: str = ""
    sha256: str = ""


class Version(NamedTuple):
    """One version of a stream with its state.

    ``missing`` has a row and no file, ``pending`` the other way round; ``begun`` has no row, but an interrupted run
    may have done part of it; ``undoing`` has its row, but an interrupted run may have undone part of it.
    """

    version: int
    name: str
    path: str
    state: State
    at: str = ""
    seen: bool = True  # False: applied, and we do not know with which text


class Merged(NamedTuple):
    """Which versions of a stream other people have already, told by git."""

    base: str  # the branch that they are on: origin/main
    same: frozenset[int] = frozenset()  # with the text that the file has here
    other: frozenset[int] = frozenset()  # now or earlier, and with another text here, or without a file

    @property
    def versions(self) -> frozenset[int]:
        """All of them: these are never edited, and never undone for good."""
        return self.same | self.other


def compare(
    files: Sequence[File],
    applied: Sequence[Applied],
    begun: Mapping[int, str] = NOTHING,
    undoing: Collection[int] = (),
) -> tuple[Version, ...]:
    """Set the files against the database's versions, ascending; versions are compared as sets, never by the highest.

    ``begun`` names the file that an earlier run may have left half done, by version; ``undoing`` are versions that
    one may have left half undone.
    """
    held = {row.version: row for row in applied}
    on_disk = {file.version: file for file in files}
    newest = max(held, default=0)
    versions = []
    for number in sorted({*held, *on_disk, *begun}):
        file, row = on_disk.get(number), held.get(number)
        versions.append(
            Version(
                version=number,
                name=file.name if file else row.name if row else begun[number],
                path=file.path if file else "",
                state="undoing"
                if row and number in undoing
                else _state(number, file, row, newest, half_done=number in begun),
                at=row.at if row else "",
                seen=bool(row.sha256) if row else True,
            )
        )
    return tuple(versions)


def unfit(versions: Iterable[Version]) -> bool:
    """Whether some version does not fit the database: what is merged decides then what happens."""
    return any(version.state in UNFIT for version in versions)


def _state(number: int, file: File | None, row: Applied | None, newest: int, *, half_done: bool) -> State:
    if row is None:
        return "out of order" if number < newest else "begun" if half_done else "pending"
    if file is None:
        return "missing"
    return "changed" if row.sha256 and row.sha256 != file.sha256 else "applied"
