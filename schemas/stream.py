"""What a folder of migrations holds: its files by version, and what goose would refuse, misread or panic over.

Values are named tuples, which start faster than dataclasses: see schemas/catalog.py.
goose 3.27.3 takes the names by the pattern ``*.sql``, and ``*.go`` files with a version too (its migrate.go).
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from io import FileIO
from pathlib import Path
from typing import NamedTuple

__all__ = ["Entry", "Migration", "Problem", "Stream", "collect", "listing", "of", "read", "version_of"]

VERSION = re.compile(r"[+-]?[0-9]+")
LARGEST = 2**63 - 1
ALMOST = re.compile(r"[0-9]+_.*\.sql", re.IGNORECASE | re.DOTALL)
RENAME = "name it VERSION_what_it_does.sql, for instance 20250131120000_add_users.sql"


class Problem(NamedTuple):
    """Something about a file that must be put right before goose may run; ``line`` is 0 where none is to blame."""

    path: str
    message: str
    remedy: str
    line: int = 0
    unread: bool = False  # the file itself cannot be had; else it is about its name, or its text where a line is told


class Migration(NamedTuple):
    """A file of the stream, read once: what was hashed is what is parsed and run."""

    version: int
    name: str
    path: str  # relative to the monorepo's root
    sha256: str
    data: bytes


class Stream(NamedTuple):
    """A folder's migrations, by version, and its problems, by path; goose may run only where there are none."""

    migrations: tuple[Migration, ...]
    problems: tuple[Problem, ...]


class Entry(NamedTuple):
    """What tells without reading whether a file may have changed; symbolic links are followed."""

    name: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


def read(folder: Path, root: Path, environment: Mapping[str, str] | None = None) -> Stream:
    """Read a folder and parse each of its files in both directions; ``environment`` is what ENVSUB sees."""
    stream = collect(folder, root)
    found = [problem for migration in stream.migrations for problem in _misread(migration, environment)]
    return Stream(migrations=stream.migrations, problems=_ordered([*stream.problems, *found]))


def collect(folder: Path, root: Path) -> Stream:
    """Read a folder's files and hash them, without parsing; paths are shown relative to ``root``."""
    shown = _relative(folder, root)
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        return Stream(migrations=(), problems=(_no_folder(shown, error),))
    home = root.resolve()
    inside = folder.resolve().is_relative_to(home)
    return of(
        {entry.name: _content(entry, home, inside=inside) if entry.name.endswith(".sql") else b"" for entry in entries},
        shown,
    )


def of(contents: Mapping[str, bytes | str], shown: str) -> Stream:
    """The stream that a folder's files make, by name; text in place of a file's bytes says why they cannot be had.

    Nothing is parsed; ``shown`` is the folder's path, as errors name it.
    """
    names = sorted(contents)
    versions = {name: version_of(name) for name in names if _is_taken(name)}
    migrations, problems = [], [p for name in names if (p := _unread(name, f"{shown}/{name}"))]
    for name in (name for name in names if name.endswith(".sql")):
        path, version, data = f"{shown}/{name}", versions[name], contents[name]
        if isinstance(version, str):
            problems.append(
                Problem(path=path, message=f"goose takes no version from its name: {version}", remedy=RENAME)
            )
        if isinstance(data, str):
            remedy = "put a plain file in its place, or take it away"
            problems.append(Problem(path=path, message=data, remedy=remedy, unread=True))
        elif isinstance(version, int):
            sha256 = hashlib.sha256(data).hexdigest()
            migrations.append(Migration(version=version, name=name, path=path, sha256=sha256, data=data))
    if not versions:
        problems.append(Problem(path=shown, message="the folder holds no migration", remedy=RENAME))
    migrations.sort(key=lambda migration: (migration.version, migration.name))
    return Stream(migrations=tuple(migrations), problems=_ordered([*problems, *_doubled(shown, versions)]))


def listing(folder: Path) -> tuple[Entry, ...]:
    """The files that goose would take, by name, without reading them; OSError when the folder cannot be listed."""
    entries = []
    for name in filter(_is_taken, _names(folder)):
        path = folder / name
        try:
            found = path.stat()
        except OSError:  # a link to nothing
            found = path.lstat()
        entries.append(
            Entry(
                name=name,
                size=found.st_size,
                mtime_ns=found.st_mtime_ns,
                ctime_ns=found.st_ctime_ns,
                inode=found.st_ino,
            )
        )
    return tuple(entries)


def version_of(name: str) -> int | str:
    """The version in a file's name, as goose's NumericComponent takes it, or why there is none."""
    digits, separator, _ = name.partition("_")
    if not separator:
        return "there is no _ after the version"
    if not VERSION.fullmatch(digits) or abs(int(digits)) > LARGEST:
        return f"“{_printable(digits)}” is no whole number of 64 bits"
    return int(digits) if int(digits) > 0 else "the version must be greater than zero"


def _names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))  # noqa: PTH208 - plain names, and bytes that are no UTF-8 stay what they are


def _is_taken(name: str) -> bool:
    """Whether goose takes a file by its name; a Go file needs a version, and tests do not count."""
    if name.endswith(".go"):
        return not name.endswith("_test.go") and isinstance(version_of(name), int)
    return name.endswith(".sql")


def _unread(name: str, path: str) -> Problem | None:
    """What is wrong with a file that no goose without further code can run."""
    if name.endswith(".go") and _is_taken(name):
        return Problem(
            path=path,
            message="a migration in Go needs a goose of its own, built with it; it stops the goose that is used here",
            remedy="write the migration in SQL",
        )
    if not name.endswith(".sql") and ALMOST.fullmatch(name):
        return Problem(
            path=path,
            message="goose passes it over: it takes the ending .sql in small letters only",
            remedy=f"git mv {path} {path[:-4]}.sql",
        )
    return None


def _content(entry: os.DirEntry[str], root: Path, *, inside: bool) -> bytes | str:
    """The file's bytes, or why they cannot be had; ``inside``: its folder lies below the resolved ``root``."""
    try:
        return _bytes(entry, root, inside=inside)
    except RuntimeError:  # Python 3.11 and 3.12 tell a loop of links so
        return "cannot be read: the link leads back to itself"
    except OSError as error:
        if entry.is_symlink():
            return f"the link leads nowhere: {error.strerror}"
        return f"cannot be read: {error.strerror}"


def _bytes(entry: os.DirEntry[str], root: Path, *, inside: bool) -> bytes | str:
    if inside and entry.is_file(follow_symlinks=False):  # the folder itself tells so: the file needs no look
        with FileIO(entry.path) as file:
            return file.readall()
    path = Path(entry.path)
    if not (path.resolve(strict=True).is_relative_to(root) if path.is_symlink() else inside):
        return "the link leads out of the monorepo, so neither a commit nor an image would hold the file"
    kind = path.stat().st_mode
    if not stat.S_ISREG(kind):  # reading a pipe would wait until somebody writes to it
        return f"is {'a folder' if stat.S_ISDIR(kind) else 'no plain file'}, named like a migration"
    return path.read_bytes()


def _doubled(shown: str, versions: Mapping[str, int | str]) -> Iterator[Problem]:
    """Files that share a version: goose ends in a panic over them."""
    first: dict[int, str] = {}
    for name, version in versions.items():
        if isinstance(version, int) and first.setdefault(version, name) != name:
            yield Problem(
                path=f"{shown}/{name}",
                message=f"has version {version}, as {first[version]} has; goose ends in a panic over that",
                remedy="give the one that was never applied a version of its own",
            )


def _misread(migration: Migration, environment: Mapping[str, str] | None) -> Iterator[Problem]:
    """What goose or the server would refuse in the file's text, or goose would leave out."""
    from schemas.goose_file import GooseSyntax, parse  # noqa: PLC0415 - start-up: `collect` parses nothing

    try:
        parsed = parse(migration.data, environment)
    except GooseSyntax as refusal:
        yield Problem(path=migration.path, line=refusal.line, message=refusal.message, remedy=refusal.remedy)
    else:
        for line in parsed.lost:
            yield Problem(
                path=migration.path,
                line=line,
                message="goose leaves this line out, because the statement block before it is empty",
                remedy="take the empty StatementBegin and StatementEnd away",
            )
    try:
        migration.data.decode()
    except UnicodeDecodeError as error:
        yield Problem(
            path=migration.path,
            line=migration.data.count(b"\n", 0, error.start) + 1,
            message="the line is not UTF-8",
            remedy="save the file as UTF-8",
        )


def _no_folder(shown: str, error: OSError) -> Problem:
    if isinstance(error, FileNotFoundError):
        return Problem(path=shown, message="the folder of migrations does not exist", remedy=f"mkdir -p {shown}")
    return Problem(
        path=shown,
        message=f"the folder of migrations cannot be listed: {error.strerror}",
        remedy=f"make {shown} a folder that can be read",
    )


def _relative(folder: Path, root: Path) -> str:
    return folder.relative_to(root).as_posix() if folder.is_relative_to(root) else folder.as_posix()


def _ordered(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: (problem.path, problem.line)))


def _printable(text: str) -> str:
    return text.encode(errors="replace").decode()
