"""A migration file as rules see it: its lines, what goose makes of it, and its statements, each made when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, TypeVar, cast

from schemas.catalog import Database, EngineName
from schemas.goose_annotation import Direction, GooseSyntax, Kind, name_of
from schemas.goose_file import GooseFile, Section, joined, sections
from schemas.stream import Migration
from schemas.syntax import Mistake, Tree
from tasks.lint.sql import Read, Sql
from tools.postgres.syntax import parse

__all__ = ["File", "Mark"]

Made = TypeVar("Made")


class File:
    """One migration file. Values of ENVSUB are not known here: a stand-in takes their place."""

    def __init__(self, migration: Migration, database: Database, read: Read) -> None:
        self.path, self.name, self.version = migration.path, migration.name, migration.version
        self.data, self.sha256, self.database = migration.data, migration.sha256, database
        self._reader = read
        self._made: dict[Callable[[File], Any], Any] = {}

    @property
    def engine(self) -> EngineName:
        """The engine of the stream."""
        return self.database.engine

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines without their ends; bytes that are no UTF-8 are single surrogates."""
        return tuple(line.removesuffix("\r") for line in self.data.decode(errors="surrogateescape").split("\n"))

    @cached_property
    def marks(self) -> tuple[Mark, ...]:
        """Every comment line with ``+goose``, in order."""
        return tuple(_marks(self.lines))

    @cached_property
    def refusals(self) -> tuple[GooseSyntax, ...]:
        """Why goose refuses the file: for Up, for Down, or for both the same."""
        found = {(one.line, one.goose): one for one in self._read.values() if isinstance(one, GooseSyntax)}
        return tuple(found.values())

    def refused(self, *kinds: Kind) -> Iterator[GooseSyntax]:
        """Those refusals that are about one of these."""
        return (one for one in self.refusals if one.kind in kinds)

    @cached_property
    def goose(self) -> GooseFile | None:
        """What goose reads; None where it refuses the file."""
        up, down = self._read["up"], self._read["down"]
        if isinstance(up, GooseSyntax) or isinstance(down, GooseSyntax):
            return None
        return joined(up, down)

    @cached_property
    def up(self) -> tuple[Sql, ...]:
        """The statements of Up; none where goose refuses that direction."""
        return self._statements("up")

    @cached_property
    def down(self) -> tuple[Sql, ...]:
        """The statements of Down."""
        return self._statements("down")

    @property
    def statements(self) -> tuple[Sql, ...]:
        """Those of Up, then those of Down."""
        return (*self.up, *self.down)

    @cached_property
    def transaction(self) -> bool:
        """Whether the server runs the whole file, or nothing of it."""
        sections = [one for one in self._read.values() if isinstance(one, Section)]
        return self.engine == "postgres" and all(one.transaction for one in sections)

    @cached_property
    def substituting(self) -> tuple[int, ...]:
        """The lines that ENVSUB fills in: SQL between ON and OFF."""
        marks = {mark.line: mark.name for mark in self.marks}
        on, found = False, []
        for number, line in enumerate(self.lines, 1):
            if number in marks:
                on = marks[number] == "ENVSUB ON" or (on and marks[number] != "ENVSUB OFF")
            elif on and line.strip() and not line.lstrip().startswith("--"):
                found.append(number)
        return tuple(found)

    @property
    def open_at_down(self) -> bool:
        """Whether ENVSUB is on where Down begins."""
        on = False
        for mark in self.marks:
            if mark.name == "Down":
                return on
            on = mark.name == "ENVSUB ON" or (on and mark.name != "ENVSUB OFF")
        return False

    def line(self, number: int) -> str:
        """One line, from 1; empty where there is none."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def once(self, make: Callable[[File], Made]) -> Made:
        """What a function makes of this file; it is called when first asked for, whoever asks again."""
        if make not in self._made:
            self._made[make] = make(self)
        return cast("Made", self._made[make])

    def parse(self, text: str) -> tuple[Tree, ...] | Mistake | None:
        """What the engine's own parser makes of some other text; None where nobody can tell."""
        if self.engine == "postgres":
            return parse(text)
        read = self._reader(text)
        return read.mistake or ((read.tree,) if read.tree else None)

    def other(self, text: str) -> bool:
        """Whether the other engine's parser reads a text; False too where nobody can tell."""
        if self.engine == "clickhouse":
            return isinstance(parse(text), tuple)
        read = self._reader(text)
        return read.mistake is None and (read.tree is not None or bool(read.tokens))

    def byte(self, line: int, column: int) -> int:
        """The byte of a place in the file."""
        return self.start(line) + len(self.line(line)[: column - 1].encode(errors="surrogateescape"))

    def start(self, number: int) -> int:
        """The byte at which a line begins; the file's end for one after the last."""
        return self._starts[number - 1] if number <= len(self._starts) else len(self.data)

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        for line in self.data.split(b"\n"):
            starts.append(starts[-1] + len(line) + 1)
        return starts[:-1]

    @cached_property
    def _read(self) -> dict[Direction, Section | GooseSyntax]:
        return sections(self.data, ANY)

    def _statements(self, direction: Direction) -> tuple[Sql, ...]:
        section = self._read[direction]
        if isinstance(section, GooseSyntax):
            return ()
        return tuple(Sql(one, direction, self.engine, self._reader) for one in section.statements if one.text)


class Mark:
    """A comment line with ``+goose``: the annotation that it is, or why goose refuses it."""

    __slots__ = ("line", "name", "refusal", "text")

    def __init__(self, line: int, text: str) -> None:
        self.line, self.text = line, text
        self.name = ""
        self.refusal: GooseSyntax | None = None
        try:
            self.name = name_of(line, text)
        except GooseSyntax as refusal:
            self.refusal = refusal


class _Any(Mapping[str, str]):
    """An environment in which every variable is set."""

    def __getitem__(self, name: str) -> str:
        return "x"

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 1


ANY = _Any()


def _marks(lines: tuple[str, ...]) -> Iterator[Mark]:
    for number, line in enumerate(lines, 1):
        if "+goose" in line and line.lstrip().startswith("--"):
            yield Mark(number, line)
