"""What migrating would do to one database, and what forbids it: the files against what the database holds.

Values are named tuples, which start faster than dataclasses: see schemas/catalog.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple

__all__ = ["Applied", "File", "Plan", "Refusal", "State", "Version", "compare", "plan"]

NOTHING: Mapping[int, str] = MappingProxyType({})
HELD = {"applied", "changed", "missing"}  # states of a version that the database holds

State = Literal["applied", "pending", "begun", "changed", "missing", "out of order"]


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
    may have done part of it.
    """

    version: int
    name: str
    path: str
    state: State
    at: str = ""
    seen: bool = True  # False: applied, and we do not know with which text


class Refusal(NamedTuple):
    """Why goose must not run now: what is wrong with which file, and the ways out."""

    path: str
    message: str
    ways_out: tuple[str, ...]


class Plan(NamedTuple):
    """What will happen: the files that goose will run, in order, unless something refuses."""

    pending: tuple[File, ...]
    refusals: tuple[Refusal, ...]
    versions: tuple[Version, ...]


def compare(
    files: Sequence[File], applied: Sequence[Applied], begun: Mapping[int, str] = NOTHING
) -> tuple[Version, ...]:
    """Set the files against the database's versions, ascending; versions are compared as sets, never by the highest.

    ``begun`` names the file that an earlier run may have left half done, by version.
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
                state=_state(number, file, row, newest, half_done=number in begun),
                at=row.at if row else "",
                seen=bool(row.sha256) if row else True,
            )
        )
    return tuple(versions)


def plan(
    files: Sequence[File],
    applied: Sequence[Applied],
    *,
    label: str,
    folder: str,
    table: str,
    other_tables: Mapping[str, int],
    begun: Mapping[int, str] = NOTHING,
) -> Plan:
    """Decide what goose will run on the database ``label``.

    ``folder`` holds the stream's files, ``table`` is goose's version table, and ``other_tables`` counts the rows of
    further goose tables in the same database: a history under another name means that the table's name was changed
    (goose would start from nothing).
    """
    versions = compare(files, applied, begun)
    refusals = [refusal for version in versions if (refusal := _refusal(version, versions, label, folder))]
    refusals += _moved(applied, label, table, other_tables)
    wanted = {version.version for version in versions if version.state in {"pending", "begun"}}
    return Plan(
        pending=tuple(sorted((file for file in files if file.version in wanted), key=lambda file: file.version)),
        refusals=tuple(refusals),
        versions=versions,
    )


def _state(number: int, file: File | None, row: Applied | None, newest: int, *, half_done: bool) -> State:
    if row is None:
        return "out of order" if number < newest else "begun" if half_done else "pending"
    if file is None:
        return "missing"
    return "changed" if row.sha256 and row.sha256 != file.sha256 else "applied"


def _refusal(version: Version, versions: Iterable[Version], label: str, folder: str) -> Refusal | None:
    rebuild = f"or, if its rows may go, rebuild the local database: doit reset:{label}"
    if version.state == "changed":
        return Refusal(
            path=version.path,
            message="was changed after it had been applied; other environments have run the earlier text",
            ways_out=(
                f"take the change back: git restore {version.path}",
                "make the change in a new migration",
                rebuild,
            ),
        )
    if version.state == "missing":
        name = version.name or f"{version.version}_*.sql"
        path = f"{folder}/{name}"
        return Refusal(
            path=path,
            message="was applied and its file is gone; goose would go on as if nothing were wrong",
            ways_out=(f"bring it back: git restore {path}", rebuild),
        )
    if version.state == "begun" and not version.path:
        path = f"{folder}/{version.name}"
        return Refusal(
            path=path,
            message="stopped half-way and its file is gone; what it did is still in the database",
            ways_out=(f"bring it back, mend it and migrate: git restore {path}", rebuild),
        )
    if version.state == "out of order":
        newest = [other for other in versions if other.state in HELD][-1]
        later = f"LATER_VERSION_{version.name.partition('_')[2]}"
        return Refusal(
            path=version.path,
            message=f"is older than {newest.name or newest.version}, which is applied; goose stops at such a file",
            ways_out=(f"give it a later version: git mv {version.path} {folder}/{later}", rebuild),
        )
    return None


def _moved(applied: Sequence[Applied], label: str, table: str, other_tables: Mapping[str, int]) -> list[Refusal]:
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
