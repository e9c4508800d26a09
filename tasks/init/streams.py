"""The goose streams of a monorepo: their folders, what is in them, and whose they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from schemas.goose_file import GooseSyntax, parse_direction
from schemas.statement import Statement
from schemas.stream import version_of
from tasks.init import engines
from tasks.init.layout import Place, marked, place
from tasks.init.survey import HEAD, MIGRATION, Survey

__all__ = ["Stream", "strays", "streams"]

UP = re.compile(r"^[ \t]*--[ \t]*\+goose[ \t]+Up\b", re.MULTILINE | re.IGNORECASE)
IN_GO = re.compile(r"\bgoose\.Add(?:Named)?Migration")
TESTS = frozenset(("testdata", "fixtures", "__fixtures__", "__tests__", "seed", "seeds"))
CLOSELY = 60  # files of a stream whose statements are read
CLUSTER = re.compile(r"\bON\s+CLUSTER\s+['\"`]?(?P<name>[A-Za-z_][\w-]*)|\bDistributed\s*\(\s*'(?P<other>[\w-]+)'")


class Stream(NamedTuple):
    """A folder of goose files."""

    folder: str
    place: Place
    files: tuple[str, ...]  # paths, by version
    reading: engines.Reading
    clusters: tuple[str, ...]
    doubled: tuple[tuple[str, str], ...]  # pairs of files with one version
    in_go: tuple[str, ...]

    @property
    def sequential(self) -> bool:
        """Whether its files are numbered one after another, not by the time."""
        digits = self.files[-1].rpartition("/")[2].partition("_")[0]
        return len(digits) < len("20250101")


def streams(survey: Survey) -> tuple[Stream, ...]:
    """Every folder with a file that goose takes: a version in its name and an Up annotation in it."""
    folders: dict[str, list[str]] = {}
    for path in survey.paths:
        if MIGRATION.fullmatch(path) and isinstance(version_of(path.rpartition("/")[2]), int):
            folders.setdefault(path.rpartition("/")[0], []).append(path)
    projects = marked(survey.paths)
    return tuple(
        _stream(folder, paths, survey, projects)
        for folder, paths in folders.items()
        if not TESTS & set(folder.split("/")) and any(map(UP.search, _texts(paths, survey)))
    )


def strays(survey: Survey) -> tuple[tuple[str, str], ...]:
    """Goose files outside of the streams: folder, and what is wrong with them."""
    found: dict[str, str] = {}
    for path, text in survey.texts.items():
        folder = path.rpartition("/")[0]
        migration = MIGRATION.fullmatch(path)
        if not migration:
            continue
        if TESTS & set(folder.split("/")) and UP.search(text):
            found.setdefault(folder, "goose files that look like seeds, or data of tests,")
        elif migration["kind"] == "go" and IN_GO.search(text):
            found.setdefault(folder, "goose files in Go")
    listed = {stream.folder for stream in streams(survey)}
    return tuple(sorted((folder, what) for folder, what in found.items() if folder not in listed))


def _texts(paths: list[str], survey: Survey) -> Iterator[str]:
    return (survey.texts.get(path, "") for path in paths if path.endswith(".sql"))


def _stream(folder: str, paths: list[str], survey: Survey, projects: frozenset[str]) -> Stream:
    taken = [path for path in paths if path.endswith(".sql")]
    in_go = [path for path in paths if path.endswith(".go") and not path.endswith("_test.go")]
    taken.sort(key=lambda path: (_version(path), path))
    first: dict[int, str] = {}
    doubled = [(first[version], path) for path in taken if first.setdefault(version := _version(path), path) != path]
    reading = engines.read(one for path in taken[:CLOSELY] for one in _statements(path, survey.texts.get(path, "")))
    named = {
        found["name"] or found["other"]
        for path in taken
        for found in CLUSTER.finditer(survey.texts.get(path, ""))
        if "clickhouse" in reading.counts
    }
    return Stream(
        folder=folder,
        place=place(folder, projects),
        files=tuple(taken),
        reading=reading,
        clusters=tuple(sorted(named)),
        doubled=tuple(doubled),
        in_go=tuple(sorted(path for path in in_go if IN_GO.search(survey.texts.get(path, "")))),
    )


def _version(path: str) -> int:
    version = version_of(path.rpartition("/")[2])
    return version if isinstance(version, int) else 0


def _statements(path: str, text: str) -> Iterator[tuple[str, Statement]]:
    """What goose would send when it goes up, with the file's path; nothing of a file that it refuses."""
    if len(text) >= HEAD:  # it may have been cut
        text = text[: text.rfind(";\n") + 2]
    try:
        section = parse_direction(text.encode(), "up")
    except GooseSyntax:
        return
    for statement in section.statements:
        yield path, statement
