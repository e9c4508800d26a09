"""How goose 3.27.3 reads a migration file for one direction: line by line, without knowing SQL.

Its rules (its internal/sqlparser/parser.go) are kept with their odd consequences; the differential test runs the same
files through goose itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from schemas.envsub import SPACE, SubstitutionError, expand
from schemas.goose_annotation import Annotation, Direction, GooseSyntax, name_of
from schemas.statement import Line, Statement, joined

__all__ = ["Section", "lines_of", "read"]

LINE_LIMIT = 4 * 1024 * 1024  # bytes of goose's buffer; a line must be shorter
WORD = re.compile(f"[^{SPACE}]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What goose reads for one direction.

    ``lost`` are lines of SQL that it leaves out without a word, because they follow an empty block.
    """

    statements: tuple[Statement, ...]
    transaction: bool
    annotations: tuple[Annotation, ...]
    lost: tuple[int, ...]


@dataclass(slots=True)
class _Reading:
    """Where in the file the reader stands, and what it has read; ``block`` stays "closed" until that is stored."""

    section: Literal["", "up", "down"] = ""
    block: Literal["", "open", "closed"] = ""
    begun: int = 0  # line of the last StatementBegin
    transaction: bool = True
    substituting: bool = False
    kept: list[Line] = field(default_factory=list)  # the statement so far
    statements: list[Statement] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)

    @property
    def state(self) -> int:
        """The number that goose gives this place in its messages."""
        return {"": 0, "up": 1, "down": 4}[self.section] + {"": 0, "open": 1, "closed": 2}[self.block]


def read(lines: Iterable[Line], direction: Direction, environment: Mapping[str, str]) -> Section:
    """Read a file's lines as goose does before it runs it in this direction; GooseSyntax where goose refuses it."""
    reading = _Reading()
    for line in lines:
        text = line.text
        if not reading.section and not text.strip(SPACE):
            continue
        comment = "--" in text and text.strip(SPACE).startswith("--")
        if comment and "+goose" in text and _annotated(reading, line) != "StatementEnd":
            continue
        if reading.kept or (text and not comment):
            _take(reading, line, direction, environment)
    _finish(reading)
    return Section(
        statements=tuple(reading.statements),
        transaction=reading.transaction,
        annotations=tuple(reading.annotations),
        lost=tuple(reading.lost),
    )


def _annotated(reading: _Reading, line: Line) -> str:
    """Do what an annotation says; return its name."""
    name = name_of(line.number, line.text)
    reading.annotations.append(Annotation(name=name, line=line.number))
    if name == "NO TRANSACTION":
        reading.transaction = False
    elif name.startswith("ENVSUB"):
        reading.substituting = name == "ENVSUB ON"
    else:
        _move(reading, name, line.number)
    return name


def _take(reading: _Reading, line: Line, direction: Direction, environment: Mapping[str, str]) -> None:
    """Keep a line, unless it closes a block, and make a statement of what is kept where one ends."""
    if reading.block != "closed":
        reading.kept.append(_expanded(line, environment) if reading.substituting else line)
    if not reading.section:
        raise _before_up(reading.kept[-1])
    if reading.section != direction:
        reading.kept.clear()
    elif reading.block == "closed" or (not reading.block and _ends(reading.kept[-1].text)):
        if not reading.kept and line.text.strip(SPACE):
            reading.lost.append(line.number)
        reading.statements.append(joined(reading.kept, at=line.number, block=reading.block == "closed"))
        reading.kept.clear()
        reading.block = ""


def lines_of(data: bytes) -> Iterator[Line]:
    """The lines without their LF or CRLF; a CR alone ends no line. GooseSyntax at one that goose cannot hold."""
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    for number, line in enumerate(lines, 1):
        if len(line) >= LINE_LIMIT:
            raise GooseSyntax(
                number,
                "the line is longer than the 4 MiB that goose reads at once",
                remedy="break the line",
                goose="failed to scan migration: bufio.Scanner: token too long",
                kind="encoding",
            )
        yield Line(number, line.removesuffix(b"\r").decode(errors="surrogateescape"))


def _move(reading: _Reading, name: str, number: int) -> None:
    """Follow Up, Down, StatementBegin or StatementEnd to the next reading."""
    see = f"stateMachine={reading.state}"
    if name == "Up":
        if reading.section:
            raise GooseSyntax(
                number,
                "goose reads one Up section a file, before Down; this is a second one",
                remedy="put the statements into the first Up section, or into a file of their own",
                goose=f"duplicate '-- +goose Up' annotations; {see}",
                kind="section",
            )
        reading.section = "up"
    elif name == "Down":
        if reading.section == "up" and reading.block == "open":
            raise GooseSyntax(
                reading.begun,
                "this StatementBegin is not closed before Down",
                remedy="put -- +goose StatementEnd after the statement",
                goose=f"must start with '-- +goose Up' annotation, {see}",
                kind="block",
            )
        if reading.section != "up":
            raise GooseSyntax(
                number,
                "Down must follow the Up section, once",
                remedy="one Up section, then one Down section",
                goose=f"must start with '-- +goose Up' annotation, {see}",
                kind="section",
            )
        _nothing_unfinished(reading)
        reading.section, reading.block = "down", ""
    elif name == "StatementBegin":
        if not reading.section or reading.block == "open":
            raise GooseSyntax(
                number,
                "StatementBegin must stand in the Up or Down section, outside another block",
                remedy="close the block before with -- +goose StatementEnd",
                goose=f"'-- +goose StatementBegin' must be defined after '-- +goose Up' or '-- +goose Down'"
                f" annotation, {see}",
                kind="block",
            )
        reading.block, reading.begun = "open", number
    elif reading.block == "open":
        reading.block = "closed"
    else:
        raise GooseSyntax(
            number,
            "StatementEnd closes no StatementBegin",
            remedy="put -- +goose StatementBegin before the statement, or take this line away",
            goose="'-- +goose StatementEnd' must be defined after '-- +goose StatementBegin'",
            kind="block",
        )


def _expanded(line: Line, environment: Mapping[str, str]) -> Line:
    try:
        text = expand(line.text, environment)
    except SubstitutionError as error:
        raise GooseSyntax(
            line.number,
            f"ENVSUB cannot expand the line: {error}",
            remedy="set the variable, write $$ for a dollar, or switch it off with -- +goose ENVSUB OFF",
            goose=error.goose if error.goose.startswith("panic") else f"variable substitution failed: {error.goose}",
            kind="substitution",
        ) from error
    return Line(number=line.number, text=text, exact=text == line.text)


def _before_up(line: Line) -> GooseSyntax:
    marked = line.text.startswith("\ufeff")
    return GooseSyntax(
        line.number,
        "the file begins with a byte order mark, which hides its first line from goose"
        if marked
        else "only comments and blank lines may stand before -- +goose Up",
        remedy="save the file as UTF-8 without a byte order mark" if marked else "begin the file with -- +goose Up",
        goose="failed to parse migration: unexpected state 0 on line",
        kind="encoding" if marked else "section",
    )


def _ends(line: str) -> bool:
    """Whether a statement ends with this line: its last word before one that begins with ``--`` ends in ``;``."""
    if ";" not in line:
        return False
    last = ""
    for word in WORD.findall(line):
        if word.startswith("--") or len(word.encode(errors="surrogateescape")) >= LINE_LIMIT:
            break
        last = word
    return last.endswith(";")


def _nothing_unfinished(reading: _Reading) -> None:
    if not reading.kept:
        return
    left = joined(reading.kept, at=0)
    if left.text:
        raise GooseSyntax(
            left.line,
            "the statement that begins here is not finished: no line of it ends with a semicolon as goose looks for it",
            remedy="end its last line with ; (a comment after it as: ; -- comment), or put it between"
            " -- +goose StatementBegin and -- +goose StatementEnd",
            goose="missing semicolon?",
            kind="unfinished",
        )


def _finish(reading: _Reading) -> None:
    """Check at the end of the file that nothing is left open."""
    if not reading.section:
        raise GooseSyntax(
            1,
            "the file has no -- +goose Up",
            remedy="begin the file with -- +goose Up",
            goose="failed to parse migration: must start with '-- +goose Up' annotation, see",
            kind="section",
        )
    if reading.block == "open":
        raise GooseSyntax(
            reading.begun,
            "this StatementBegin is never closed",
            remedy="put -- +goose StatementEnd after the statement",
            goose="missing '-- +goose StatementEnd' annotation",
            kind="block",
        )
    _nothing_unfinished(reading)
