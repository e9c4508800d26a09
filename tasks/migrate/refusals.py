"""Why goose must not run on a database now, and the ways out: one refusal a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tasks.migrate.versions import HELD, Applied, Merged, Version

__all__ = ["Refusal", "begun_otherwise", "moved", "refusal"]


class Refusal(NamedTuple):
    """Why goose must not run now: what is wrong with which file, and the ways out."""

    path: str
    message: str
    ways_out: tuple[str, ...]


def refusal(
    version: Version, versions: Sequence[Version], label: str, folder: str, merged: Merged | None
) -> Refusal | None:
    """Why this version, if it does; without ``merged`` every version counts as merged."""
    if version.state in {"changed", "missing"}:
        ours = merged is not None and version.version not in merged.other
        return _behind(version, versions, label, merged) if merged and ours else _theirs(version, label, folder, merged)
    if version.state == "begun" and not version.path:
        path = f"{folder}/{version.name}"
        return Refusal(
            path=path,
            message="stopped half-way and its file is gone; what it did is still in the database",
            ways_out=(f"bring it back, mend it and migrate: git restore {path}", _rebuild(label)),
        )
    if version.state == "out of order":
        above = [other for other in versions if other.state in HELD and other.version > version.version]
        if merged and not any(other.version in merged.versions for other in above):
            return None  # all that is above it is still its author's, and makes way
        return Refusal(
            path=version.path,
            message=f"is older than {_called(above[-1])}, which is applied; goose stops at such a file",
            ways_out=(f"give it a later version: doit renumber:{label}", _rebuild(label)),
        )
    return None


def _theirs(version: Version, label: str, folder: str, merged: Merged | None) -> Refusal:
    """A merged version that was edited or taken away here."""
    source = f" --source={merged.base}" if merged else ""
    path = version.path or f"{folder}/{version.name or f'{version.version}_*.sql'}"
    if version.state == "missing":
        return Refusal(
            path=path,
            message="was applied and its file is gone; goose would go on as if nothing were wrong",
            ways_out=(f"bring it back: git restore{source} {path}", _rebuild(label)),
        )
    told = f"; it is on {merged.base}, and" if merged else ";"
    return Refusal(
        path=path,
        message=f"was changed after it had been applied{told} other environments have run the earlier text",
        ways_out=(
            f"take the change back: git restore{source} {path}",
            f"make the change in a new migration: doit create:{label} name=…",
            f"or take it back in one: doit revert:{label} version={version.version}",
            _rebuild(label),
        ),
    )


def _rebuild(label: str) -> str:
    return f"or, if its rows may go, rebuild the local database: doit reset:{label}"


def _behind(version: Version, versions: Iterable[Version], label: str, merged: Merged) -> Refusal | None:
    """An edited version of one's own goes down and up again, unless others' are above it already."""
    above = [other for other in versions if other.state in HELD and other.version > version.version]
    theirs = [other for other in above if other.version in merged.versions]
    if version.state == "missing" or version.version in merged.same or not theirs:
        return None
    return Refusal(
        path=version.path,
        message=f"was changed, and {_called(theirs[0])} of {merged.base} is newer; goose stops at such a file there",
        ways_out=(f"give it a later version: doit renumber:{label}",),
    )


def _called(version: Version) -> str:
    return version.name or str(version.version)


def begun_otherwise(label: str, baseline: str) -> Refusal:
    """The refusal of a database with a history that did not begin as it should."""
    return Refusal(
        path=baseline,
        message=f"is not what the local database of {label} began with, and files are applied on top of that",
        ways_out=(f"if its rows may go, rebuild the local database: doit reset:{label}",),
    )


def moved(applied: Sequence[Applied], label: str, table: str, other_tables: Mapping[str, int]) -> list[Refusal]:
    """The refusal of an empty version table beside one that holds a history: the table's name was changed."""
    if applied or not any(other_tables.values()):
        return []
    found = ", ".join(f"{name} ({rows} versions)" for name, rows in sorted(other_tables.items()) if rows)
    return [
        Refusal(
            path="services.yaml",
            message=f"names {table} as the version table of {label}, which is empty, while the database holds {found}",
            ways_out=(
                f"name that table: `table:` of {label} in services.yaml",
                f"or, if its rows may go, rebuild the local database: doit reset:{label}",
            ),
        )
    ]
